"""Connections to insurers: how they do, what was said, what differs, and how they are set up."""

from __future__ import annotations

from insureflow.web.connections import differences, looking_up, pages, papers, setup
from insureflow.web.connections.base import blueprint

__all__ = ["blueprint", "differences", "looking_up", "pages", "papers", "setup"]
