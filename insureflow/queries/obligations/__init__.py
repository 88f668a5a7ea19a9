"""Duties and expected dates under the policies."""

from __future__ import annotations
