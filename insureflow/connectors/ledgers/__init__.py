"""Ledger files: exports of a seller's receivables ledger in many layouts, read into ledger lines.

``read_ledger`` reads a file under a mapping profile, ``preview`` shows its beginning and what must be asked first.
"""

from insureflow.connectors.ledgers.batch import CustomerNames, LedgerBatch, Preview, Suggestion
from insureflow.connectors.ledgers.dates import DateOrder
from insureflow.connectors.ledgers.detection import Certainty, Detection, FileType, Finding
from insureflow.connectors.ledgers.profile import FIELDS, TRANSFORMS, ColumnRule, FormatHints, Profile
from insureflow.connectors.ledgers.profile_files import (
    check_profile,
    get_shipped_profile,
    load_profile,
    profile_from_mapping,
    profile_to_mapping,
    save_profile,
    shipped_profiles,
)
from insureflow.connectors.ledgers.reading import DEFAULT_LIMITS, preview, read_ledger
from insureflow.connectors.ledgers.source import FileLimits
from insureflow.connectors.ledgers.suggestion import suggest_mapping

__all__ = [
    "DEFAULT_LIMITS",
    "FIELDS",
    "TRANSFORMS",
    "Certainty",
    "ColumnRule",
    "CustomerNames",
    "DateOrder",
    "Detection",
    "FileLimits",
    "FileType",
    "Finding",
    "FormatHints",
    "LedgerBatch",
    "Preview",
    "Profile",
    "Suggestion",
    "check_profile",
    "get_shipped_profile",
    "load_profile",
    "preview",
    "profile_from_mapping",
    "profile_to_mapping",
    "read_ledger",
    "save_profile",
    "shipped_profiles",
    "suggest_mapping",
]
