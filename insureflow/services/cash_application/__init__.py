"""Cash application: statements of the bank imported, payments compared with what is open, matched, and taken back."""

from __future__ import annotations

from insureflow.services.cash_application.deciding import Choice, choose, confirm, confirm_certain, set_aside, take_back, undo
from insureflow.services.cash_application.importing import StatementOutcome, import_statements
from insureflow.services.cash_application.proposing import explain, propose
from insureflow.services.cash_application.tolerances import set_tolerance

__all__ = [
    "Choice",
    "StatementOutcome",
    "choose",
    "confirm",
    "confirm_certain",
    "explain",
    "import_statements",
    "propose",
    "set_aside",
    "set_tolerance",
    "take_back",
    "undo",
]
