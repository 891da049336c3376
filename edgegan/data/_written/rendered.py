"""Drawings made once: all pictures of a set in one array, kept in the cache folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from edgegan.data._files.work import in_processes
from edgegan.data._sets import Picture
from edgegan.runtime.errors import InputError
from edgegan.runtime.files import atomic_path, cache_folder

Job = TypeVar("Job")

DEFAULT_COUNT = {"train": 6000, "judge": 2000, "heldout": 256}


class RenderedPictures:
    """The pictures of an array (N, H, W, 3), uint8 RGB; `licence` is that of the drawings."""

    def __init__(self, pixels: NDArray[np.uint8], *, name: str, licence: str = "") -> None:
        self.name, self.licence = name, licence
        self._pixels = pixels

    def __len__(self) -> int:
        return len(self._pixels)

    def picture(self, index: int) -> Picture:
        """Picture `index`."""
        picture: Picture = self._pixels[index]
        return picture

    def sources(self) -> Mapping[str, Sequence[Path]]:
        """None: they are drawn."""
        return {}


def render(
    draw: Callable[..., NDArray[np.uint8]], jobs: Sequence[Job], size: int, *, name: str, version: bytes
) -> NDArray[np.uint8]:
    """(N, size, size, 3) uint8 RGB, `draw(job, size=size)` for every job; read from the cache if drawn before.

    `repr(jobs)` and `version` must tell all that the pixels depend on. `draw` and the jobs must pickle.
    """
    drawing = hashlib.sha256(repr(jobs).encode() + version).hexdigest()[:16]
    path = cache_folder() / f"{name}-{size}-{drawing}.npy"
    if not path.is_file():
        pictures = np.empty((len(jobs), size, size, 3), np.uint8)
        for i, picture in enumerate(in_processes(partial(draw, size=size), jobs, what=f"Drawing {len(jobs)} pictures")):
            pictures[i] = picture
        with atomic_path(path) as temporary:
            np.save(temporary, pictures)
    loaded: NDArray[np.uint8] = np.load(path, mmap_mode="r")
    return loaded


def parse_count(place: str, kind: str, split: str, usual: Mapping[str, int] = DEFAULT_COUNT) -> int:
    """How many pictures a split has: `place` is the number of training pictures, or empty for the usual number.

    The other splits have their usual numbers. Raises InputError if `place` is not a number.
    """
    if place and (not place.isdecimal() or int(place) < 1):
        todo = f"as in: --data {kind}:{usual['train']}"
        raise InputError(f"--data {kind}:{place}: not a number of pictures", todo=todo)
    return int(place) if place and split == "train" else usual[split]
