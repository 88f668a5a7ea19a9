"""Interfaces of insurers, one module each, behind one protocol."""
