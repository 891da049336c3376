"""What a set of training pictures is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]  # (H, W, 3), RGB

SPLITS = ("train", "heldout", "judge")  # to learn from, to score on, to train the judge on


class Pictures(Protocol):
    """A finite set of pictures, every one of them readable and of one size."""

    name: str

    def __len__(self) -> int: ...

    def picture(self, index: int) -> Picture:
        """Picture `index`, at the size the set was opened with; the same at every call."""
        ...

    def sources(self) -> Mapping[str, Sequence[Path]]:
        """What the pictures are read from, in order: "files", and what lies beside those; nothing for drawn ones.

        A checkpoint holds a digest of them, so that a resume notices other ones.
        """
        ...


@runtime_checkable
class Labelled(Pictures, Protocol):
    """Pictures with a label vector each. `groups` are sets of names of which exactly one is on."""

    names: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]

    def label(self, index: int) -> NDArray[np.float32]:
        """The label of picture `index`: 0 or 1 for each of `names`, in their order."""
        ...


class Counterfactual(Labelled, Protocol):
    """Labelled pictures whose every single edit has a known true answer."""

    def truth(self, index: int, name: str, on: bool) -> Picture:
        """Picture `index` as it would look with one attribute changed."""
        ...

    def is_hidden(self, index: int, name: str) -> bool:
        """Whether the attribute cannot be seen on picture `index` (hair under a hat)."""
        ...


class Domains(Protocol):
    """Two sets of pictures of one size. Unpaired, their lengths may differ; paired, a[i] and b[i] belong together."""

    @property
    def name(self) -> str:
        """What the set is called in messages, such as the folder it came from."""
        ...

    @property
    def a(self) -> Pictures:
        """The pictures of domain A."""
        ...

    @property
    def b(self) -> Pictures:
        """The pictures of domain B."""
        ...
