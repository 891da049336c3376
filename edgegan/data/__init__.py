"""Training pictures: what a data set is, and how a --data SPEC finds one.

A SPEC is `KIND` or `KIND:PLACE`: `avatars`, `avatars:3000`, `celeba:DIR`, `folders:DIR`, `flat:DIR`. Each kind
is a module of this folder with an `open_data` function, found by its name; a bare folder is recognised by
what lies in it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgegan.runtime.errors import InputError

Picture = NDArray[np.uint8]  # (H, W, 3), RGB

SPLITS = ("train", "heldout", "judge")  # to learn from, to score on, to train the judge on


class Pictures(Protocol):
    """A finite set of pictures, every one of them readable and of one size."""

    name: str

    def __len__(self) -> int: ...

    def picture(self, index: int) -> Picture:
        """Picture `index`, at the size the set was opened with; the same at every call."""
        ...


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

    def hidden(self, index: int, name: str) -> bool:
        """Whether the attribute cannot be seen on picture `index` (hair under a hat)."""
        ...


def kinds() -> tuple[str, ...]:
    """The kinds of data set this installation knows: the modules of this folder with an `open_data`."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")))


def open_labelled(
    spec: str, *, size: int, names: Sequence[str], split: str = "train", centre_crop: int | None = None
) -> Labelled:
    """Opens a labelled data set at `size` x `size` pixels with the given attributes, in the given order.

    Args:
        spec: `KIND`, `KIND:PLACE`, or a folder.
        size: edge length of the pictures, in pixels.
        names: attributes wanted; for folders, empty means every folder.
        split: one of SPLITS.
        centre_crop: edge of the square cut from the middle of each original before resizing, in pixels.

    Raises:
        InputError: no such kind or split, nothing there, an unknown attribute, or too many unreadable files.
    """
    if split not in SPLITS:
        raise InputError(f"no split is called '{split}'", f"there are: {', '.join(SPLITS)}")
    kind, _, place = spec.partition(":")
    if kind not in kinds() and Path(spec).is_dir():
        kind, place = _recognise(Path(spec)), spec
    if kind not in kinds():
        raise InputError(
            f"--data {spec}: neither a folder nor a kind of data set",
            f"kinds: {', '.join(kinds())} (as in celeba:DIR)",
        )
    module = importlib.import_module(f"{__name__}.{kind}")
    opened: Labelled = module.open_data(place, size=size, names=tuple(names), split=split, centre_crop=centre_crop)
    return opened


def _recognise(folder: Path) -> str:
    from . import celeba, folders

    if celeba.find_attributes(folder):
        return "celeba"
    return "folders" if folders.has_domains(folder) else "flat"
