"""The demonstration: train, export, score, benchmark and edit, and one report of it all."""

from __future__ import annotations

from .run import Demo

__all__ = ["Demo"]
