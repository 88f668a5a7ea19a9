"""Writes the table of insurers in README.md from the data of the product; with ``--check`` only says whether it is in step."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from insureflow.connectors.insurers.known import KNOWN, KnownInsurer  # noqa: E402 (the repository is not always installed)
from insureflow.connectors.insurers.registry import get_connector  # noqa: E402
from insureflow.domain.connections import Confidence  # noqa: E402
from insureflow.i18n.words import word  # noqa: E402

BEGIN = "<!-- insurers: written by scripts/write_connector_table.py -->"
END = "<!-- insurers: end -->"
README = ROOT / "README.md"


def table() -> str:
    """The table as Markdown."""
    lines = ["| Insurer | Ways | Connector | Does | Goes by hand or file | Confidence, taken from |", "|---|---|---|---|---|---|"]
    lines.extend(_row(insurer) for insurer in KNOWN)
    return "\n".join(lines)


def _row(insurer: KnownInsurer) -> str:
    cells = (
        insurer.name,
        ", ".join(word(way, "en") for way in insurer.ways),
        get_connector(insurer.connector).name,
        ", ".join(word(operation, "en") for operation in insurer.operations) or "–",
        insurer.missing,
        insurer.source if insurer.confidence is Confidence.OWN else f"{word(insurer.confidence, 'en')}: {insurer.source}",
    )
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def written(text: str) -> str:
    """The README with the table in its place. Errors: ``ValueError`` where the place is missing."""
    before, begin, rest = text.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"README.md lacks the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def main() -> int:
    """Exit status 1 where the README was not in step and was only looked at."""
    text = README.read_text(encoding="utf-8")
    wanted = written(text)
    if "--check" in sys.argv[1:]:
        print("in step" if text == wanted else "README.md is not in step: run scripts/write_connector_table.py")
        return int(text != wanted)
    README.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
