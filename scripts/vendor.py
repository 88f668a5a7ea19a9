"""Refresh the style sheets and scripts of others that the product serves itself.

Maintainers run this by hand: ``python scripts/vendor.py``. It fetches the exact package versions below with ``npm pack``, proves their
SHA-256, and writes what the pages need, with its licence, under ``insureflow/static/vendor/``; what only tests need goes under
``tests/browser/vendor/``. Neither installing nor running the product needs node.

Two things are changed on the way, both for the content security policy ``default-src 'self'`` and a quiet browser console:
references to source maps are dropped, and pictures that a style sheet carries as ``data:`` addresses become files beside it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SERVED = ROOT / "insureflow" / "static" / "vendor"
TESTED = ROOT / "tests" / "browser" / "vendor"


@dataclass(frozen=True, slots=True)
class Package:
    """One package at one version: the digest of its archive, and which of its files go where."""

    name: str
    version: str
    licence: str
    sha256: str
    target: Path
    files: dict[str, str]

    @property
    def source(self) -> str:
        """Name and version as the package manager takes them."""
        return f"{self.name}@{self.version}"


PACKAGES = (
    Package(
        name="bootstrap",
        version="5.3.9",
        licence="MIT",
        sha256="06bdf78289c3c12ea99d40df84eedf6278c724c73eebf38f11f3a65b44ec8c94",
        target=SERVED / "bootstrap",
        files={
            "dist/css/bootstrap.min.css": "bootstrap.min.css",
            "dist/css/bootstrap.rtl.min.css": "bootstrap.rtl.min.css",
            "dist/js/bootstrap.bundle.min.js": "bootstrap.bundle.min.js",
            "LICENSE": "LICENSE",
        },
    ),
    Package(
        name="htmx.org",
        version="2.0.11",
        licence="0BSD",
        sha256="165a2655073e9e6e55e307a7c74e8ebcdb76afb7701f9c16cfd106a13add408e",
        target=SERVED / "htmx",
        files={"dist/htmx.min.js": "htmx.min.js", "LICENSE": "LICENSE"},
    ),
    Package(
        name="axe-core",
        version="4.14.1",
        licence="MPL-2.0",
        sha256="e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745",
        target=TESTED,
        files={"axe.min.js": "axe.min.js", "LICENSE": "axe.LICENSE"},
    ),
)

#: Shapes of the countries; only ``scripts/build_map.py`` reads them, so they are fetched on request and not kept.
MAP_PACKAGE = Package(
    name="world-atlas",
    version="2.0.2",
    licence="ISC",
    sha256="032e7765f2ce00edaeafec23ff22bc3b77e42987c257da944cc585b452c05b97",
    target=ROOT / "build" / "world-atlas",
    files={"countries-50m.json": "countries-50m.json", "LICENSE": "LICENSE"},
)

_SOURCE_MAP = re.compile(rb"\n?(?:/\*# sourceMappingURL=[^*]*\*/|//# sourceMappingURL=\S*)\s*$")
_DATA_PICTURE = re.compile(r'url\("data:image/svg\+xml,([^"]*)"\)')


class VendorError(Exception):
    """A package is not what it was when its digest was written down."""


def digest(content: bytes) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def fetch_package(package: Package, folder: Path) -> dict[str, bytes]:
    """Wanted files of a package by their path inside it. Raises ``VendorError`` when the archive differs or a file is missing."""
    npm = shutil.which("npm")
    if npm is None:
        raise VendorError("npm is not installed; only maintainers who refresh these files need it")
    answer = subprocess.run(
        [npm, "pack", package.source, "--silent", "--pack-destination", str(folder)],
        check=True,
        capture_output=True,
        text=True,
    )
    archive = folder / answer.stdout.strip().splitlines()[-1]
    found = digest(archive.read_bytes())
    if found != package.sha256:
        raise VendorError(f"{package.source}: expected archive {package.sha256}, got {found}")
    contents: dict[str, bytes] = {}
    with tarfile.open(archive) as opened:
        for path in package.files:
            member = opened.extractfile(f"package/{path}")
            if member is None:
                raise VendorError(f"{package.source}: {path} is not a file")
            contents[path] = member.read()
    return contents


def without_source_map(content: bytes) -> bytes:
    """The file without the closing comment that points at a source map we do not ship."""
    stripped = _SOURCE_MAP.sub(b"", content)
    return stripped.rstrip(b"\n") + b"\n"


def with_picture_files(style_sheet: bytes, folder: Path) -> bytes:
    """The style sheet with its embedded SVG pictures written to ``folder/images`` and named by their digest."""
    images = folder / "images"

    def store(match: re.Match[str]) -> str:
        picture = urllib.parse.unquote(match.group(1)).encode()
        images.mkdir(parents=True, exist_ok=True)
        name = f"{digest(picture)[:12]}.svg"
        (images / name).write_bytes(picture + b"\n")
        return f'url("images/{name}")'

    return _DATA_PICTURE.sub(store, style_sheet.decode()).encode()


def vendor_package(package: Package) -> list[dict[str, str]]:
    """Write the files of a package to their place; gives one manifest entry per file served or tested."""
    with tempfile.TemporaryDirectory() as folder:
        contents = fetch_package(package, Path(folder))
    package.target.mkdir(parents=True, exist_ok=True)
    entries = []
    for path, name in package.files.items():
        content = contents[path]
        if name.endswith(".css"):
            content = with_picture_files(content, package.target)
        if name.endswith((".css", ".js")):
            content = without_source_map(content)
        target = package.target / name
        target.write_bytes(content)
        entries.append(
            {
                "file": target.relative_to(ROOT).as_posix(),
                "name": package.name,
                "version": package.version,
                "licence": package.licence,
                "package": package.source,
                "package_sha256": package.sha256,
                "path_in_package": path,
                "original_sha256": digest(contents[path]),
                "sha256": digest(content),
            }
        )
    return entries


def main() -> int:
    """Fetch everything, or with ``--map`` the shapes of the countries alone."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--map", action="store_true", help="fetch the country shapes for scripts/build_map.py into build/ instead")
    arguments = parser.parse_args()
    if arguments.map:
        vendor_package(MAP_PACKAGE)
        print(f"{MAP_PACKAGE.source} → {MAP_PACKAGE.target.relative_to(ROOT)}")
        return 0
    entries: list[dict[str, str]] = []
    for package in PACKAGES:
        shutil.rmtree(package.target, ignore_errors=True)
        entries.extend(vendor_package(package))
        print(f"{package.source} → {package.target.relative_to(ROOT)}")
    manifest = SERVED / "manifest.json"
    manifest.write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
