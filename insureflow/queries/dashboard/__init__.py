"""Sums of a whole portfolio as of a day: exposure by any division of it, and what calls for attention."""

from __future__ import annotations
