"""Drawn pictures: held in memory, or written to disk as data sets."""
