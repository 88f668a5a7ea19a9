"""Ledger files: exports of a seller's receivables ledger in many layouts, read into ledger lines."""
