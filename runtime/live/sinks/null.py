"""Nowhere: for measuring, and for runs that only want the statistics."""

from __future__ import annotations

from ...model.image import Image
from ..sources import Frame
from . import Clock, Sink


def accepts(spec: str) -> bool:
    """The word `null`."""
    return spec == "null"


def open_sink(spec: str, clock: Clock) -> Null:
    """Opens nothing."""
    del spec, clock
    return Null()


class Null(Sink):
    """Takes every frame and forgets it."""

    def write(self, frame: Frame, before: Image | None = None) -> str:
        """Does nothing."""
        return ""
