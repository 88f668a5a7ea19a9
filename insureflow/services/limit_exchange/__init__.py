"""Requests to insurers out by file, and their decisions in: for insurers without an interface that programs may use.

A request that goes by hand is work for somebody (``send_request``); the file that carries it is that work done. Requests that a
connection carries never go into a file.
"""

from __future__ import annotations

from insureflow.services.limit_exchange.answers import ImportedAnswers, Undecided, import_decisions
from insureflow.services.limit_exchange.sending import ExportedRequests, LeftOut, export_requests

__all__ = ["ExportedRequests", "ImportedAnswers", "LeftOut", "Undecided", "export_requests", "import_decisions"]
