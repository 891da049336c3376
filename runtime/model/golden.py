"""Golden pairs: held-out inputs and what fp32 eager made of them.

One `golden.npz` lies in each export folder and serves all its artefacts. Its keys are `<stem>.in.<name>` and
`<stem>.out.<name>`, where the stem is the file name up to its first dot (`model` for `model.fp16.engine`) and the
name is the input's or output's. The first axis of every array counts the pairs. Where axes are open, `<stem>@<call>`
stands in the place of the stem for one call at another size, such as `model@1x64x64` (batch, height, width).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..errors import CardError, InputError
from .artefact import Artefact
from .card import TensorSpec
from .npz import read_arrays

Array = NDArray[Any]
_AT = "@"  # readers that know no calls at other sizes look for `<stem>.` and pass over these


class Golden(msgspec.Struct, frozen=True):
    """Pairs of one artefact: each array is (N, ...), inputs by name and outputs by name.

    `batch` is how many of them the artefact takes in one call: 1, unless its batch is fixed to more.
    """

    inputs: dict[str, Array]
    outputs: dict[str, Array]
    batch: int = 1

    def __len__(self) -> int:
        return len(next(iter(self.outputs.values())))

    def calls(self) -> Iterator[tuple[dict[str, Array], dict[str, Array]]]:
        """All pairs, `batch` at a time; the first ones come again where the last call would not be full."""
        for first in range(0, len(self), self.batch):
            chosen = np.arange(first, first + self.batch) % len(self)
            yield {n: a[chosen] for n, a in self.inputs.items()}, {n: a[chosen] for n, a in self.outputs.items()}


def stem(path: Path) -> str:
    """The name under which an artefact's pairs are kept: `model` for `model.fp16.onnx`."""
    return path.name.partition(".")[0]


def call_key(key: str, call: str) -> str:
    """The key in a golden.npz of the pairs of one call at another size."""
    return f"{key}{_AT}{call}"


def pack(pairs: Mapping[str, Golden]) -> dict[str, Array]:
    """The arrays of a golden.npz that holds the pairs of several keys: stems, and what `call_key` makes of them."""
    sides = [(key, side, arrays) for key, g in pairs.items() for side, arrays in (("in", g.inputs), ("out", g.outputs))]
    return {f"{key}.{side}.{name}": array for key, side, arrays in sides for name, array in arrays.items()}


def read(path: Path, key: str) -> Golden | None:
    """The pairs of the stem `key`; None if the file has none. Raises CardError if it is not a golden file."""
    return _golden(path, key, _arrays(path, f"{key}."))


def read_calls(path: Path, key: str) -> dict[str, Golden]:
    """The calls at other sizes of the stem `key`, by "batch x height x width"; raises CardError as `read` does."""
    arrays = _arrays(path, call_key(key, ""))
    found = {}
    for there in dict.fromkeys(name.partition(".")[0] for name in arrays):
        pairs = _golden(path, there, {n: a for n, a in arrays.items() if n.startswith(f"{there}.")})
        if pairs is not None:
            found[there.removeprefix(call_key(key, ""))] = msgspec.structs.replace(pairs, batch=len(pairs))
    return found


def _arrays(path: Path, prefix: str) -> dict[str, Array]:
    try:
        return read_arrays(path, prefix)
    except InputError as error:
        raise CardError(f"{error.seen}: no golden pairs", error.expected, "export again") from None


def _golden(path: Path, key: str, arrays: Mapping[str, Array]) -> Golden | None:
    sides = {
        side: {n.removeprefix(f"{key}.{side}."): a for n, a in arrays.items() if n.startswith(f"{key}.{side}.")}
        for side in ("in", "out")
    }
    if not sides["in"] or not sides["out"]:
        return None
    counts = {len(a) if a.ndim else 0 for a in arrays.values()}
    if len(counts) != 1 or counts == {0}:
        raise CardError(f"{path}: the golden inputs and outputs of '{key}' differ in number", todo="export again")
    return Golden(sides["in"], sides["out"])


def beside(artefact: Artefact) -> Golden | None:
    """The pairs that lie beside an artefact, in the batches it takes; None where there are none for it.

    Raises CardError if the file cannot be read, or if its arrays are not what the card says.
    """
    pairs = read(artefact.golden, stem(artefact.path)) if artefact.golden else None
    if pairs is None:
        return None
    _check(pairs, artefact)
    return msgspec.structs.replace(pairs, batch=artefact.card.batch[0])


def calls_beside(artefact: Artefact) -> dict[str, Golden]:
    """The calls at other sizes that lie beside an artefact; none where its card leaves no size open.

    Raises CardError as `beside` does.
    """
    if artefact.golden is None or artefact.card.size.kind == "fixed":
        return {}
    found = read_calls(artefact.golden, stem(artefact.path))
    for pairs in found.values():
        _check(pairs, artefact)
    return found


def _check(pairs: Golden, artefact: Artefact) -> None:
    card = artefact.card
    _check_side(pairs.inputs, card.inputs, artefact)
    _check_side(pairs.outputs, tuple(s for s in card.outputs if s.name in pairs.outputs) or card.outputs, artefact)


def _check_side(arrays: Mapping[str, Array], specs: tuple[TensorSpec, ...], artefact: Artefact) -> None:
    def fits(array: Array, spec: TensorSpec) -> bool:
        axes = zip(array.shape[1:], spec.shape[1:], strict=False)
        same = all(isinstance(said, str) or said == there for there, said in axes)
        return array.dtype.kind in "fiu" and array.ndim == len(spec.shape) and same

    wrong = [s.name for s in specs if s.name not in arrays or not fits(arrays[s.name], s)]
    if wrong or len(arrays) != len(specs):
        seen = "; ".join(f"{n}: {a.dtype} {a.shape}" for n, a in arrays.items())
        expected = "; ".join(f"{s.name}: ({', '.join(map(str, s.shape))})" for s in specs)
        raise CardError(f"{artefact.golden}: {seen}", f"what the card of {artefact.path.name} says: {expected}")
