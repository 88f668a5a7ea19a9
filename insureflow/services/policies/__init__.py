"""Policies: adding them from presets or from their own terms, and dating every change of the terms."""

from __future__ import annotations

from insureflow.services.policies.changes import (
    add_policy,
    add_terms_version,
    change_policy,
    correct_terms_version,
    delete_policy,
    delete_terms_version,
    get_policy,
    set_insured_entities,
)
from insureflow.services.policies.preparing import prepare_terms, with_overrides
from insureflow.services.policies.presets import Confidence, Preset, Source, ToConfirm, find_preset, get_preset, list_presets, origin_of
from insureflow.services.policies.writing import read_override, read_terms_text, write_terms_text

__all__ = [
    "Confidence",
    "Preset",
    "Source",
    "ToConfirm",
    "add_policy",
    "add_terms_version",
    "change_policy",
    "correct_terms_version",
    "delete_policy",
    "delete_terms_version",
    "find_preset",
    "get_policy",
    "get_preset",
    "list_presets",
    "origin_of",
    "prepare_terms",
    "read_override",
    "read_terms_text",
    "set_insured_entities",
    "with_overrides",
    "write_terms_text",
]
