"""Drawn people whose true answers are known."""
