"""Verifying a model in a process of its own: a context on a GPU, some hundred megabytes, goes with it."""

from __future__ import annotations

from pathlib import Path

import msgspec
from edgegan.runtime.errors import CardError
from edgegan.runtime.model import artefact as artefacts
from edgegan.runtime.model import golden
from edgegan.runtime.model.artefact import Artefact
from edgegan.runtime.model.verification import Verification

from ..verify.check import OnPair, ends, require, verify_artefact
from . import child

Figures = dict[str, Verification]


class _Request(msgspec.Struct, frozen=True):
    made: Path
    original: Path
    target: str
    entry: str


def verify_apart(
    made: Artefact, original: Artefact, target: str, entry: str, *, on_pair: OnPair | None = None
) -> Figures:
    """As `verify_here`, in a child process. Raises BackendError besides, if that dies."""
    request = _Request(made.path.absolute(), original.path.absolute(), target, entry)
    with child.talk(__name__, request, f"verifies {made.path.name}") as events:
        for event in events:
            if "pair" in event and on_pair is not None:
                on_pair(*event["pair"])
            if "figures" in event:
                return msgspec.convert(event["figures"], Figures)
    raise AssertionError("a child that ends without an answer is an error")


def verify_here(
    made: Artefact, original: Artefact, target: str, entry: str, *, on_pair: OnPair | None = None
) -> Figures:
    """The figures of `made` on one target, held to the golden pairs and the ends of the range of `original`.

    Args:
        made: the artefact to verify.
        original: beside which the golden pairs lie.
        target: a backend and a device, such as "tensorrt:cuda:1".
        entry: its name on a card, such as "tensorrt".
        on_pair: told of every pair.

    Raises:
        CardError: no golden pairs lie beside `original`.
        VerifyError: `made` misses its tolerance. A target that cannot run now is no miss, and its figures say so.
    """
    pairs = golden.beside(original)
    if pairs is None:
        raise CardError(f"{original.path}: no golden pairs lie beside it", todo="copy the whole export folder")
    figures = verify_artefact(made, pairs, backends=(target,), corners=ends(original, pairs), on_pair=on_pair)
    if figures[entry].status != "not_run":
        require(made, figures, pairs, entry)
    return figures


def _verify(request: _Request, tell: child.Tell) -> None:
    made, original = artefacts.load(request.made), artefacts.load(request.original)
    figures = verify_here(made, original, request.target, request.entry, on_pair=lambda *pair: tell(pair=pair))
    tell(figures=figures)


if __name__ == "__main__":
    child.answer(_Request, _verify)
