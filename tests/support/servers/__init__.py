"""Servers on loopback whose lines can be cut."""
