"""The terms of a policy in plain words, parameter by parameter, in any language that has a catalogue."""

from __future__ import annotations

from insureflow.i18n.policies.describing import Difference, Entry, Group, describe, describe_schedule, differences, label_of

__all__ = ["Difference", "Entry", "Group", "describe", "describe_schedule", "differences", "label_of"]
