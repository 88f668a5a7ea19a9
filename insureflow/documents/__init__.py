"""Papers the product produces."""
