"""Makes the fonts of papers from static Noto fonts; for maintainers.

Papers embed TrueType outlines, and a wheel should stay small: each font is cut down to what names and addresses of a script need. Sources:
the package ``fonts-noto-core`` of Debian for Latin with Greek and Cyrillic, Arabic, Hebrew, Thai and Devanagari, and the npm packages
``@expo-google-fonts/noto-sans-jp``, ``-sc`` and ``-kr`` (the archives that ``npm pack`` gives, unpacked) for Japanese, Chinese and Korean.
All are under the SIL Open Font License 1.1, which is kept beside them.

    python scripts/build_fonts.py DIRECTORY_OF_NOTO_CORE DIRECTORY_OF_UNPACKED_NPM_PACKAGES
"""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from PIL import ImageCms

TARGET = Path(__file__).resolve().parent.parent / "insureflow" / "documents" / "fonts"
COLOUR = TARGET.parent / "colour"

_COPYRIGHT_OF_CORE = "Copyright 2010-2020 Google LLC (Noto Sans, Noto Sans Arabic, Noto Sans Devanagari, Noto Sans Hebrew, Noto Sans Thai)"
#: Punctuation, signs and full-width forms that stand beside ideographs.
_EAST_ASIAN_SIGNS = (*range(0x20, 0x7F), *range(0x3000, 0x3040), *range(0xFF00, 0xFFF0), 0x30FB, 0x30FC)
#: Latin with all diacritics, Greek, Cyrillic, punctuation, currency signs, arrows and the marks of check lists.
_WESTERN = (
    *range(0x20, 0x590),
    *range(0x1E00, 0x2000),
    *range(0x2000, 0x2070),
    *range(0x2070, 0x20D0),
    *range(0x2100, 0x2200),
    0x2212,
    0x2260,
    0x2264,
    0x2265,
    0x25CF,
    0x2610,
    0x2611,
    0xFB01,
    0xFB02,
    0xFFFD,
)
#: Signs that the western font lacks and its own glyphs can draw: the minus sign of many languages, the hyphen that never breaks.
_STAND_INS = {0x2212: 0x2013, 0x2011: 0x2010}


def characters_of(encoding: str, leads: range, trails: range) -> set[int]:
    """Every character of a national standard that is written with two bytes."""
    found: set[int] = set()
    for lead in leads:
        for trail in trails:
            try:
                text = bytes((lead, trail)).decode(encoding)
            except UnicodeDecodeError:
                continue
            found.update(map(ord, text))
    return found


def japanese() -> set[int]:
    """JIS X 0208, by which Japanese names and addresses are written."""
    return characters_of("euc_jp", range(0xA1, 0xFF), range(0xA1, 0xFF)) | set(_EAST_ASIAN_SIGNS)


def chinese() -> set[int]:
    """GB 2312, simplified Chinese."""
    return characters_of("gb2312", range(0xA1, 0xFF), range(0xA1, 0xFF)) | set(_EAST_ASIAN_SIGNS)


def korean() -> set[int]:
    """The syllables of KS X 1001; Chinese characters in Korean names come from the other fonts."""
    syllables = {code for code in characters_of("euc_kr", range(0xB0, 0xC9), range(0xA1, 0xFF)) if 0xAC00 <= code <= 0xD7A3}
    return syllables | set(range(0x3131, 0x3190)) | set(_EAST_ASIAN_SIGNS)


def cut(source: Path, name: str, characters: set[int] | None, *, shaped: bool) -> None:
    """Writes a subset of a font; ``shaped`` keeps the tables by which complex scripts are shaped, None keeps every character."""
    options = Options()
    options.hinting = False
    options.notdef_outline = True
    options.glyph_names = shaped
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.layout_features = ["*"] if shaped else []
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE", "STAT", "DSIG", "meta"]
    if not shaped:
        options.drop_tables += ["GSUB", "GPOS", "GDEF"]
    options.recalc_timestamp = False
    font = TTFont(source)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=characters if characters is not None else set(font.getBestCmap()))
    subsetter.subset(font)
    for table in font["cmap"].tables if not shaped else ():
        for code, other in _STAND_INS.items():
            if table.isUnicode() and code not in table.cmap and other in table.cmap:
                table.cmap[code] = table.cmap[other]
    target = TARGET / name
    font.save(target)
    print(f"{name}: {len(font.getBestCmap())} characters, {len(font.getGlyphOrder())} glyphs, {target.stat().st_size // 1024} KiB")


def texts_of_glyphs(font: TTFont) -> dict[str, str]:
    """What each glyph without a character of its own stands for: a form of a letter for the letter, a ligature for its letters."""
    texts = {name: chr(code) for code, name in sorted(font.getBestCmap().items(), reverse=True)}
    own = set(texts)
    lookups = [getattr(table, "ExtSubTable", table) for lookup in font["GSUB"].table.LookupList.Lookup for table in lookup.SubTable]
    grown = -1
    while grown != len(texts):
        grown = len(texts)
        for table in lookups:
            if table.LookupType == 1:
                for source, form in table.mapping.items():
                    if source in texts:
                        texts.setdefault(form, texts[source])
            elif table.LookupType == 4:
                for first, ligatures in table.ligatures.items():
                    for ligature in ligatures:
                        parts = [first, *ligature.Component]
                        if all(part in texts for part in parts):
                            texts.setdefault(ligature.LigGlyph, "".join(texts[part] for part in parts))
    return {name: text for name, text in texts.items() if name not in own}


def write_glyph_texts() -> None:
    """Writes for every shaped font what the glyphs say that have no character, so that text can be copied out of papers."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(TARGET.glob("*.ttf")):
        font = TTFont(path)
        if "GSUB" in font:
            texts = texts_of_glyphs(font)
            found[path.name] = {str(font.getGlyphID(name)): text for name, text in sorted(texts.items())}
    (TARGET / "glyph_texts.json").write_text(json.dumps(found, indent=0, sort_keys=True) + "\n", encoding="utf-8")


def write_colour_profile() -> None:
    """Writes the sRGB profile that archived papers name, with a fixed date so that it is the same each time."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    COLOUR.mkdir(exist_ok=True)
    (COLOUR / "srgb.icc").write_bytes(bytes(profile))


def main() -> int:
    """Builds everything."""
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    core, packages = map(Path, sys.argv[1:])
    for weight in ("Regular", "Bold"):
        cut(core / f"NotoSans-{weight}.ttf", f"NotoSans-{weight}.ttf", set(_WESTERN), shaped=False)
    for script in ("Arabic", "Hebrew", "Thai", "Devanagari"):
        for weight in ("Regular", "Bold"):
            cut(core / f"NotoSans{script}-{weight}.ttf", f"NotoSans{script}-{weight}.ttf", None, shaped=True)
    for script, characters in (("JP", japanese()), ("SC", chinese()), ("KR", korean())):
        source = next(packages.rglob(f"NotoSans{script}_400Regular.ttf"))
        cut(source, f"NotoSans{script}-Regular.ttf", characters, shaped=False)
    licence = next(packages.rglob("LICENSE_FONT")).read_text(encoding="utf-8")
    lines = [_COPYRIGHT_OF_CORE, *(line.rstrip() for line in licence.splitlines())]
    (TARGET / "OFL.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    write_glyph_texts()
    write_colour_profile()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
