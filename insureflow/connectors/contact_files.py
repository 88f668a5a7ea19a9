"""Files of contacts: delimited text with one person in each row."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.domain.receivables import RowProblem

#: Every column of the layout; a buyer is named by the customer number in an entity's ledger, or by its name.
COLUMNS = ("entity", "customer_number", "buyer", "name", "role", "email", "phone", "language", "gets_letters")
LARGEST = 5 * 1024 * 1024
MOST_ROWS = 100_000
_YES = frozenset({"", "yes", "y", "true", "1", "x", "ja"})
_NO = frozenset({"no", "n", "false", "0", "nej", "nein"})


@dataclass(frozen=True, slots=True)
class ContactRow:
    """One row. ``row`` counts from 1 with the heading, as a spreadsheet shows it."""

    row: int
    entity: str
    customer_number: str
    buyer: str
    name: str
    role: str
    email: str
    phone: str
    language: str
    #: None where the cell is empty.
    gets_letters: bool | None


def read_contacts(content: bytes) -> tuple[list[ContactRow], list[RowProblem]]:
    """All good rows of a file, and what is wrong with the others.

    Errors: ``Refusal`` ``contacts_too_large``, ``contacts_not_text``, ``contacts_too_many``; ``InvalidValues`` with
    ``contact_column_unknown``.
    """
    if len(content) > LARGEST:
        raise Refusal("contacts_too_large", mebibytes=LARGEST // (1024 * 1024))
    if b"\0" in content:
        raise Refusal("contacts_not_text")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t|", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        table = list(reader)
    except csv.Error as error:
        raise Refusal("contacts_not_text") from error
    if len(table) > MOST_ROWS:
        raise Refusal("contacts_too_many", most=MOST_ROWS)
    headings = [cell.strip().casefold().replace(" ", "_") for cell in table[0]] if table else []
    unknown = [InvalidValue("contact_column_unknown", "file", cell[:60]) for cell in headings if cell not in COLUMNS]
    if unknown or not headings:
        raise InvalidValues(tuple(unknown) or (InvalidValue("contact_column_unknown", "file", ""),))
    rows: list[ContactRow] = []
    problems: list[RowProblem] = []
    for number, cells in enumerate(table[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        values = dict.fromkeys(COLUMNS, "") | dict(zip(headings, (cell.strip() for cell in cells), strict=False))
        gets = values["gets_letters"].casefold()
        if gets not in _YES | _NO:
            problems.append(RowProblem(number, "gets_letters", values["gets_letters"][:60], "contact_not_yes_or_no"))
            continue
        rows.append(
            ContactRow(
                number, **{name: values[name] for name in COLUMNS if name != "gets_letters"}, gets_letters=gets in _YES if gets else None
            )
        )
    return rows, problems
