"""The write side: one use case, one transaction, one journal entry."""
