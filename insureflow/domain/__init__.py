"""The rules of the trade: standard library only; no clock, no I/O, no float, no language."""
