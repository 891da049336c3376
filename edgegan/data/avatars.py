"""Drawn faces (edgegan.runtime.avatars) as a labelled data set with true answers; rendered once, then cached."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgegan.runtime import avatars
from edgegan.runtime.errors import InputError
from edgegan.runtime.files import atomic_path, cache_folder

from . import Picture
from ._work import in_processes

DEFAULT_COUNT = {"train": 6000, "judge": 2000, "heldout": 256}


class AvatarPictures:
    """Faces of one split, rendered at one size."""

    def __init__(self, count: int, *, size: int, names: tuple[str, ...], split: str) -> None:
        unknown = [n for n in names if n not in avatars.ATTRIBUTES]
        if unknown:
            raise InputError(
                f"avatars have no attribute {', '.join(map(repr, unknown))}",
                f"they have: {', '.join(avatars.ATTRIBUTES)}",
            )
        self.name = f"avatars:{count} ({split})"
        self.names = names or avatars.ATTRIBUTES
        self.groups = tuple(g for g in (tuple(n for n in g if n in self.names) for g in avatars.GROUPS) if len(g) > 1)
        self._size = size
        self._faces = [avatars.sample_face(seed) for seed in avatars.seeds(split, count)]
        self._truths: dict[tuple[int, str, bool], Picture] = {}
        self._pictures = _rendered(self._faces, size, f"{split}-{count}")

    def __len__(self) -> int:
        return len(self._faces)

    def picture(self, index: int) -> Picture:
        """Picture `index`."""
        picture: Picture = self._pictures[index]
        return picture

    def label(self, index: int) -> NDArray[np.float32]:
        """Its labels; a hair colour counts even where a hat hides it."""
        face = self._faces[index]
        return np.array([face.label[n] for n in self.names], np.float32)

    def truth(self, index: int, name: str, on: bool) -> Picture:
        """The same face rendered with one option changed; kept, since sample grids ask again and again."""
        key = (index, name, on)
        if key not in self._truths:
            self._truths[key] = avatars.render_rgb(self._faces[index].edited(name, on), self._size)
        return self._truths[key]

    def truths(self, edits: Sequence[tuple[int, str, bool]]) -> Iterator[Picture]:
        """The true answers of many edits (index, attribute, on), in order, drawn by all processors."""
        faces = [self._faces[index].edited(name, on) for index, name, on in edits]
        return in_processes(partial(avatars.render_rgb, size=self._size), faces, what=f"Drawing {len(faces)} answers")

    def hidden(self, index: int, name: str) -> bool:
        """A hat hides the hair."""
        return name in avatars.HAIR and self._faces[index].hair_hidden


@lru_cache(maxsize=4)
def open_data(
    place: str, *, size: int, names: tuple[str, ...], split: str, centre_crop: int | None = None
) -> AvatarPictures:
    """`place` is the number of training faces, or empty for the usual number; held-out sets have theirs.

    `centre_crop` does not apply.
    """
    del centre_crop
    if place and not place.isdecimal() or place and int(place) < 1:
        raise InputError(f"--data avatars:{place}: not a number of faces", todo="as in: --data avatars:3000")
    count = int(place) if place and split == "train" else DEFAULT_COUNT[split]
    return AvatarPictures(count, size=size, names=names, split=split)


def _rendered(faces: list[avatars.Face], size: int, what: str) -> NDArray[np.uint8]:
    """(N, size, size, 3) RGB; read from the cache when the very same faces were drawn before."""
    drawing = hashlib.sha256(repr(faces).encode() + Path(avatars.__file__).read_bytes()).hexdigest()[:16]
    path = cache_folder() / f"avatars-{what}-{size}-{drawing}.npy"
    if not path.is_file():
        draw = partial(avatars.render_rgb, size=size)
        pictures = np.empty((len(faces), size, size, 3), np.uint8)
        for i, picture in enumerate(in_processes(draw, faces, what=f"Drawing {len(faces)} faces")):
            pictures[i] = picture
        with atomic_path(path) as temporary:
            np.save(temporary, pictures)
    loaded: NDArray[np.uint8] = np.load(path, mmap_mode="r")
    return loaded
