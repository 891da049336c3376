"""Training pictures: what a data set is, and how a --data SPEC finds one.

A SPEC is `KIND` or `KIND:PLACE`: `avatars`, `avatars:3000`, `celeba:DIR`, `unaligned:DIR`. Each kind is a module of
this folder, found by its name (`-` in a spec is `_` in the module's), and offers what it can give:

    open_data(place, *, size, names, split, centre_crop) -> Labelled
    open_domains(place, *, size, split) -> Domains     two domains, unpaired
    open_pairs(place, *, size, split) -> Domains       picture i of both sides shows the same
    open_pictures(place, *, size, split) -> Pictures   where it is neither of these

A bare folder is recognised by what lies in it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgegan.runtime.errors import InputError

from ._sets import SPLITS, Counterfactual, Domains, Labelled, Picture, Pictures
from ._streams import LabelledStream, PairStream, PictureStream, normalise

__all__ = [
    "SPLITS",
    "Counterfactual",
    "Domains",
    "Labelled",
    "LabelledStream",
    "PairStream",
    "Picture",
    "PictureStream",
    "Pictures",
    "kinds",
    "normalise",
    "open_domains",
    "open_labelled",
    "open_pairs",
    "open_pictures",
]

LABELLED = ("open_data",)
DOMAINS = ("open_domains", "open_pairs")  # what can give two domains; pairs will do for those who need none
PAIRS = ("open_pairs",)
ANY = ("open_pictures", "open_data", "open_domains", "open_pairs")


def kinds(offering: tuple[str, ...] = ANY) -> tuple[str, ...]:
    """The kinds of data set this installation knows: the modules of this folder that offer one of these functions."""
    modules = sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))
    return tuple(m.replace("_", "-") for m in modules if _find_openers(m, offering))


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
    open_data, place = _opener(spec, split, LABELLED, "labels")
    opened: Labelled = open_data(place, size=size, names=tuple(names), split=split, centre_crop=centre_crop)
    return opened


def open_domains(spec: str, *, size: int, split: str = "train") -> Domains:
    """Opens two domains at `size` x `size` pixels, whatever the shape of the originals; their lengths may differ.

    Raises InputError: no such kind or split, nothing there, a set that is not two domains, or too many unreadable
    files.
    """
    opener, place = _opener(spec, split, DOMAINS, "two domains")
    opened: Domains = opener(place, size=size, split=split)
    return opened


def open_pairs(spec: str, *, size: int, split: str = "train") -> Domains:
    """Opens pairs at `size` x `size` pixels, whatever the shape of the originals: a[i] and b[i] belong together.

    Raises InputError as `open_domains` does, and for a set without pairs.
    """
    opener, place = _opener(spec, split, PAIRS, "pairs")
    opened: Domains = opener(place, size=size, split=split)
    return opened


def open_pictures(spec: str, *, size: int, split: str = "train") -> Pictures:
    """Opens any data set at `size` x `size` pixels, whatever the shape of the originals; labels are ignored.

    Of two domains, the pictures of both. Raises InputError as `open_labelled` does.
    """
    from ._files.domains import Joined
    from ._files.pictures import PictureFiles

    opener, place = _opener(spec, split, ANY, "pictures")
    if opener.__name__ == "open_data":
        opened: Pictures = opener(place, size=size, names=(), split=split, centre_crop=None)
        return opened.stretch() if isinstance(opened, PictureFiles) else opened
    found: Any = opener(place, size=size, split=split)
    return found if opener.__name__ == "open_pictures" else Joined(found)


def _opener(spec: str, split: str, offering: tuple[str, ...], what: str) -> tuple[Any, str]:
    """The first of these functions that the kind of `spec` offers, and the place to give it."""
    if split not in SPLITS:
        raise InputError(f"no split is called '{split}'", f"there are: {', '.join(SPLITS)}")
    kind, _, place = spec.partition(":")
    if kind not in kinds() and Path(spec).is_dir():
        kind, place = _recognise(Path(spec), offering), spec
    fitting = f"kinds with {what}: {', '.join(kinds(offering))}"
    if kind not in kinds():
        raise InputError(f"--data {spec}: neither a folder nor a kind of data set", f"{fitting} (as in KIND:DIR)")
    offered = _find_openers(kind.replace("-", "_"), offering)
    if not offered:
        raise InputError(f"--data {spec}: {kind} has no {what}", fitting)
    return offered[0], place


def _find_openers(module: str, offering: tuple[str, ...]) -> list[Any]:
    loaded = importlib.import_module(f"{__name__}.{module}")
    return [getattr(loaded, name) for name in offering if hasattr(loaded, name)]


def _recognise(folder: Path, offering: tuple[str, ...]) -> str:
    """The kind of a bare folder, of those that give what is wanted; where no layout fits, the one to complain."""
    from . import celeba, faces, folders, paired, rafd
    from ._files import domains

    if offering == PAIRS:
        return "paired"
    if offering == DOMAINS:
        return "paired" if paired.recognises(folder) and not domains.has_sides(folder) else "unaligned"
    if faces.recognises(folder):
        return "faces"
    if celeba.find_attributes(folder):
        return "celeba"
    if domains.has_splits(folder):
        return "unaligned"
    if rafd.recognises(folder):
        return "rafd"
    return "folders" if folders.has_domains(folder) else "flat"
