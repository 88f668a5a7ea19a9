"""Connections to insurers: set up, tried, used, and what was said over them."""

from __future__ import annotations

from insureflow.services.connections.exchanges import Recorder, trim
from insureflow.services.connections.look_ups import LookUpFailed, look_up, name_company, query_for, take_match
from insureflow.services.connections.papers import declare_collection, papers_of, read_paper
from insureflow.services.connections.pushes import refuse_pushes, take_pushes
from insureflow.services.connections.reaching import (
    ENVIRONMENTS,
    SANDBOX,
    Reach,
    addresses_of,
    error_data,
    get_connection,
    reach,
    require_running,
    stop_connection,
)
from insureflow.services.connections.setup import (
    Setup,
    Trial,
    add_connection,
    change_connection,
    renew_encryption,
    set_enabled,
    subject_of,
    try_connection,
)
from insureflow.services.connections.watching import note_stale

__all__ = [
    "ENVIRONMENTS",
    "SANDBOX",
    "LookUpFailed",
    "Reach",
    "Recorder",
    "Setup",
    "Trial",
    "add_connection",
    "addresses_of",
    "change_connection",
    "declare_collection",
    "error_data",
    "get_connection",
    "look_up",
    "name_company",
    "note_stale",
    "papers_of",
    "query_for",
    "reach",
    "read_paper",
    "refuse_pushes",
    "renew_encryption",
    "require_running",
    "set_enabled",
    "stop_connection",
    "subject_of",
    "take_match",
    "take_pushes",
    "trim",
    "try_connection",
]
