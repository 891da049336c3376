"""Drawn faces (edgegan.runtime.drawn.avatars) as a labelled data set with true answers; rendered once, then cached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgegan.runtime.drawn import avatars
from edgegan.runtime.errors import InputError

from ._files.work import in_processes
from ._sets import Picture
from ._written.rendered import parse_count, render


class AvatarPictures:
    """Faces of one split, rendered at one size; `part` 2 are as many others as part 1."""

    def __init__(self, count: int, *, size: int, names: tuple[str, ...], split: str, part: int = 1) -> None:
        unknown = [n for n in names if n not in avatars.ATTRIBUTES]
        if unknown:
            raise InputError(
                f"avatars have no attribute {', '.join(map(repr, unknown))}",
                f"they have: {', '.join(avatars.ATTRIBUTES)}",
            )
        self.name = f"avatars:{count}{f'@{part}' if part > 1 else ''} ({split})"
        self.names = names or avatars.ATTRIBUTES
        self.groups = tuple(g for g in (tuple(n for n in g if n in self.names) for g in avatars.GROUPS) if len(g) > 1)
        self._size = size
        self._faces = [avatars.sample_face(seed) for seed in avatars.seeds(split, count, (part - 1) * count)]
        self._truths: dict[tuple[int, str, bool], Picture] = {}
        self._pictures = render(
            avatars.render_rgb,
            self._faces,
            size,
            name=f"avatars-{split}-{count}",
            version=Path(avatars.__file__).read_bytes(),
        )

    def __len__(self) -> int:
        return len(self._faces)

    def picture(self, index: int) -> Picture:
        """Picture `index`."""
        picture: Picture = self._pictures[index]
        return picture

    def sources(self) -> Mapping[str, Sequence[Path]]:
        """None: they are drawn."""
        return {}

    def label(self, index: int) -> NDArray[np.float32]:
        """Its labels; a hair colour counts even where a hat hides it."""
        face = self._faces[index]
        return np.array([face.label[n] for n in self.names], np.float32)

    def truth(self, index: int, name: str, on: bool) -> Picture:
        """The same face rendered with one option changed; kept, since sample grids ask again and again."""
        key = (index, name, on)
        if key not in self._truths:
            self._truths[key] = avatars.render_rgb(self._faces[index].edit(name, on), self._size)
        return self._truths[key]

    def truths(self, edits: Sequence[tuple[int, str, bool]]) -> Iterator[Picture]:
        """The true answers of many edits (index, attribute, on), in order, drawn by all processors."""
        faces = [self._faces[index].edit(name, on) for index, name, on in edits]
        return in_processes(partial(avatars.render_rgb, size=self._size), faces, what=f"Drawing {len(faces)} answers")

    def is_hidden(self, index: int, name: str) -> bool:
        """A hat hides the hair."""
        return name in avatars.HAIR and self._faces[index].hair_hidden


@lru_cache(maxsize=4)
def open_data(
    place: str, *, size: int, names: tuple[str, ...], split: str, centre_crop: int | None = None
) -> AvatarPictures:
    """`place` is the number of training faces, or empty for the usual number; held-out sets have theirs.

    `3000@2` are 3000 others than `3000`, or `3000@1`, for sets that share no face. `centre_crop` does not apply.
    """
    del centre_crop
    number, at, part = place.partition("@")
    count = parse_count(number, "avatars", split)
    if at and not (number and part.isdecimal() and int(part)):
        raise InputError(
            f"--data avatars:{place}: not a part", todo="as in: --data avatars:3000@2, the second 3000 faces"
        )
    return AvatarPictures(count, size=size, names=names, split=split, part=int(part) if at and split == "train" else 1)
