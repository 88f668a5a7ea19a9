"""Sandbox insurers: real servers that speak the documented shapes of insurers' interfaces, for trying and testing without any."""
