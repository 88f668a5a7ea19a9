"""Countries as files of the outside world write them: by code or by name, never guessed."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from babel import Locale

from insureflow.domain.countries import ALPHA_2_BY_ALPHA_3, ALPHA_2_BY_NUMERIC, COUNTRIES
from insureflow.i18n.catalogues import DIRECTORY

_WORDS = re.compile(r"[\W_]+")

#: Codes that trade uses beside the standard's.
_OTHER_CODES = {"UK": "GB", "EL": "GR", "UAE": "AE"}

#: English names in use beside those of the catalogue of territories: official short names, former ones, parts of one country.
_OTHER_NAMES = """
AE: Emirates | BA: Bosnia | BN: Brunei Darussalam | BO: Bolivia, Plurinational State of; Plurinational State of Bolivia
CD: Democratic Republic of the Congo; Congo, Democratic Republic of the; Congo (Democratic Republic of the); DR Congo
CG: Republic of the Congo | CI: Ivory Coast | CN: People's Republic of China; PR China; Mainland China | CV: Cabo Verde
CZ: Czech Republic | FK: Falkland Islands | FM: Federated States of Micronesia; Micronesia, Federated States of
GB: Great Britain; England; Scotland; Wales; Northern Ireland; United Kingdom of Great Britain and Northern Ireland
HK: Hong Kong; Hong Kong SAR | IE: Republic of Ireland | IR: Islamic Republic of Iran; Iran, Islamic Republic of
KP: Democratic People's Republic of Korea; Korea, Democratic People's Republic of | KR: Republic of Korea; Korea, Republic of
LA: Lao People's Democratic Republic; Lao PDR | MD: Republic of Moldova; Moldova, Republic of
MK: Republic of North Macedonia | MM: Myanmar; Burma | MO: Macao; Macau; Macao SAR | NL: Holland
PS: Palestine; State of Palestine; Palestine, State of | RU: Russian Federation | SK: Slovak Republic
SY: Syrian Arab Republic | SZ: Swaziland | TL: East Timor | TR: Turkey
TW: Taiwan, Province of China; Taiwan (Province of China); Taiwan, Republic of China
TZ: United Republic of Tanzania; Tanzania, United Republic of | US: United States of America
VA: Holy See | VE: Bolivarian Republic of Venezuela; Venezuela, Bolivarian Republic of | VN: Viet Nam; Socialist Republic of Vietnam
XK: Republic of Kosovo
"""


#: Names that some language gives to one country, while the trade may mean either of two by them.
_UNCLEAR = frozenset({"congo"})


def _plain(name: str) -> str:
    """A name as it is compared: no accents, no letter case, no punctuation, no article in front, ``&`` and ``St.`` written out."""
    text = unicodedata.normalize("NFKD", name.replace("&", " and ").replace("’", "").replace("'", "").replace("ø", "o").replace("Ø", "O"))
    text = "".join(each for each in text if not unicodedata.combining(each)).casefold()
    words = ["saint" if word == "st" else word for word in _WORDS.sub(" ", text).split()]
    return " ".join(words[1:] if words[:1] == ["the"] else words)


@cache
def _names() -> dict[str, str]:
    """Codes by compared name; a name that two languages give to two countries is left out."""
    languages = ["en", *sorted(entry.name for entry in DIRECTORY.iterdir() if entry.is_dir())]
    found: dict[str, set[str]] = {}
    for language in languages:
        for code, name in Locale.parse(language).territories.items():
            if code in COUNTRIES:
                found.setdefault(_plain(name), set()).add(code)
    for entry in re.split(r"[|\n]", _OTHER_NAMES.strip()):
        code, _, names = entry.strip().partition(":")
        for name in names.split(";"):
            found.setdefault(_plain(name), set()).add(code)
    return {name: next(iter(codes)) for name, codes in found.items() if len(codes) == 1 and name not in _UNCLEAR}


def find_country(text: str, *, numeric: bool = False) -> str | None:
    """The alpha-2 code of a country written as a code (two letters, three letters, with ``numeric`` three digits) or as a name.

    Names are those of the languages the product speaks, and English ones in use. Spelling counts: a name that nobody knows, or
    that could mean two countries (``Korea``), gives None.
    """
    code = text.strip().upper()
    if numeric and code.isdecimal():
        return ALPHA_2_BY_NUMERIC.get(code.zfill(3))
    if code in COUNTRIES:
        return code
    return _OTHER_CODES.get(code) or ALPHA_2_BY_ALPHA_3.get(code) or _names().get(_plain(text))
