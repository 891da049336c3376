"""Still pictures: one file, or a folder of them in the order of their names."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...errors import SourceError
from ...model.image import Image
from ...pictures import SUFFIXES, UnreadableError, decode, is_litter
from ...redaction import legible
from ..source import Frame, Source, Wanted, frame_of, refuse_size

_MOVING = (".gif",)  # alone it is a film; in a folder of pictures, its first frame
log = logging.getLogger("edgegan.pictures")


def accepts(spec: str) -> bool:
    """A folder, or a name that ends like a picture's."""
    suffix = Path(spec).suffix.lower()
    return "://" not in spec and (Path(spec).is_dir() or (suffix in SUFFIXES and suffix not in _MOVING))


def open_frames(spec: str, wanted: Wanted) -> Pictures:
    """Opens a picture or a folder."""
    refuse_size(spec, wanted.size_hw)
    return Pictures(Path(spec), fps=wanted.fps, loop=wanted.loop)


class Pictures(Source):
    """The pictures of a folder, numbers sorted as numbers (2 before 10), or the one picture of a file."""

    live = False

    def __init__(self, path: Path, *, fps: float | None = None, loop: bool = False) -> None:
        self.name, self.fps = legible(path.name or path), fps
        if path.is_dir():
            self._paths = sorted(
                (p for p in path.iterdir() if p.suffix.lower() in SUFFIXES and not is_litter(p)), key=_natural
            )
            if not self._paths:
                raise SourceError(
                    f"the folder {path} holds no pictures ({sum(1 for _ in path.iterdir())} other entries)",
                    f"expected files that end in {', '.join(SUFFIXES)}",
                )
        else:
            self._paths = [path]
        self._damaged: set[Path] = set()
        height, width = next(self._readable())[1].shape[:2]
        self.size_hw = (height, width)
        self._loop = loop
        self.length = None if loop else len(self._paths)
        self.about = f"{legible(path)}: {len(self._paths)} picture{'s' * (len(self._paths) > 1)}, {width}x{height}"

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        while True:
            began = time.perf_counter()
            for path, picture in self._readable():
                yield frame_of(picture, index, path.name, decode_s=time.perf_counter() - began)
                index += 1
                began = time.perf_counter()
            if not self._loop:
                return

    def _readable(self) -> Iterator[tuple[Path, Image]]:
        """Each picture; of several, one that cannot be read is named, once, and passed over.

        Raises SourceError for the last one's reason if none can be read.
        """
        for path in [p for p in self._paths if p not in self._damaged]:
            try:
                yield path, read_bgr(path)
            except SourceError as error:
                self._damaged.add(path)
                if len(self._damaged) == len(self._paths):
                    raise
                log.warning("left out %s", error.seen)


def read_bgr(path: Path) -> Image:
    """The whole picture as `decode` reads it, as (H, W, 3) uint8 BGR. Raises SourceError if it cannot be read."""
    import cv2

    try:
        rgb = np.asarray(decode(path))
    except UnreadableError as error:
        raise SourceError(f"{path} cannot be read: {error.reason}", f"a picture: {', '.join(SUFFIXES)}") from None
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), np.uint8)


def _natural(path: Path) -> list[tuple[int, int | str]]:
    parts = re.split(r"(\d+)", path.name.lower())
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts]
