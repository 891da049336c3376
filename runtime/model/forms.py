"""The other forms of one network: files of other formats and precisions that lie beside an artefact."""

from __future__ import annotations

from pathlib import Path

from ..errors import EdgeganError
from . import artefact as artefacts
from .artefact import SUFFIXES, Artefact, suffix
from .card import ModelCard, sidecar
from .golden import stem

_PRECISIONS = ("fp32", "fp16", "int8")


def forms(artefact: Artefact) -> tuple[Artefact, ...]:
    """The artefact, and, where a folder was named and not a file, what may be taken instead of it.

    That is every file of the same stem (`model.fp16.onnx` beside `model.onnx`) whose hash holds and whose card
    promises the same: made from the same weights, with equal inputs and outputs, sizes, labels and batch. More
    precise ones come first. A file that cannot be loaded is passed over: naming it says what is wrong with it.
    """
    if not artefact.of_folder:
        return (artefact,)
    found = [other for path in _beside(artefact.path) if (other := _alike(path, artefact.card)) is not None]
    return (artefact, *sorted(found, key=lambda f: (_PRECISIONS.index(f.card.precision), f.path.name)))


def _beside(path: Path) -> list[Path]:
    return [
        other
        for other in path.parent.iterdir()
        if other != path and suffix(other) in SUFFIXES and stem(other) == stem(path) and sidecar(other).is_file()
    ]


def _alike(path: Path, card: ModelCard) -> Artefact | None:
    try:
        found = artefacts.load(path)
    except EdgeganError:
        return None
    return found if _promises(found.card) == _promises(card) else None


def _promises(card: ModelCard) -> tuple[object, ...]:
    """What a program that uses the model relies on, and the weights that it was made from."""
    ports = (card.inputs, card.outputs, card.size, card.batch)
    return (*ports, card.condition, card.faces, card.alignment, card.companions, card.noise, card.training)
