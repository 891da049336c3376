"""A folder of PNG pictures, one per frame."""

from __future__ import annotations

from pathlib import Path

from ...errors import InputError, SinkError
from ...files import write_atomic
from ...model.image import Image
from ..frame_clock import FrameClock
from ..provenance import png
from ..sink import Sink, check_writable
from ..source import Frame

FALLBACK = True  # almost any word can name a folder


def accepts(spec: str) -> bool:
    """A folder that is there, or a name that can only be one."""
    return "://" not in spec and (Path(spec).is_dir() or spec.endswith("/") or not Path(spec).suffix)


def open_sink(spec: str, clock: FrameClock) -> Folder:
    """Opens a folder, which must not hold frames yet."""
    del clock
    return Folder(Path(spec))


class Folder(Sink):
    """Writes `frame_000000.png` and on, numbered by the frame's index. Each picture is whole or absent, and tells
    its origin."""

    stage = "encode"

    def __init__(self, path: Path) -> None:
        check_writable(path / "frame_000000.png")
        if any(path.glob("frame_*.png")):
            raise SinkError(f"the folder {path} holds frames already", todo="name another folder, or empty this one")
        self._path = path
        self.about = f"{path}/"

    def write(self, frame: Frame, before: Image | None = None) -> None:
        """Writes one picture."""
        try:
            write_atomic(self._path / f"frame_{frame.index:06d}.png", png(frame.image_bgr, self.origin))
        except InputError as error:
            raise SinkError(error.seen, error.expected, error.todo) from None
