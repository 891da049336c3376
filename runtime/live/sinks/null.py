"""Nowhere: for measuring, and for runs that only want the statistics."""

from __future__ import annotations

from pathlib import Path

from ...model.image import Image
from ...special_files import is_null
from ..frame_clock import FrameClock
from ..sink import Sink
from ..source import Frame


def accepts(spec: str) -> bool:
    """The word `null`, and the system's own name of it."""
    return spec == "null" or is_null(Path(spec))


def open_sink(spec: str, clock: FrameClock) -> Null:
    """Opens nothing."""
    del spec, clock
    return Null()


class Null(Sink):
    """Takes every frame and forgets it."""

    def write(self, frame: Frame, before: Image | None = None) -> None:
        """Does nothing."""
