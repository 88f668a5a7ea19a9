"""Cover as it is read: ledgers divided into accounts, positions over time, and the lists and pictures of them."""

from __future__ import annotations
