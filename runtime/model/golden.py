"""Golden pairs: held-out inputs and what fp32 eager made of them, and how close a backend comes to it.

One `golden.npz` lies in each export folder and serves all its artefacts. Its keys are `<stem>.in.<name>` and
`<stem>.out.<name>`, where the stem is the file name up to its first dot (`model` for `model.fp16.engine`) and the
name is the input's or output's. The first axis of every array counts the pairs. Where axes are open, `<stem>@<call>`
stands in the place of the stem for one call at another size, such as `model@1x64x64` (batch, height, width).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..errors import CardError, InputError
from .artefact import Artefact
from .card import ModelCard, TensorSpec, Verification
from .npz import read_arrays
from .ssim import ssim

Array = NDArray[Any]
Run = Callable[[Mapping[str, Array]], Mapping[str, Array]]

# For cards that state no tolerance: below this an edit looks different from what was trained.
DEFAULT_TOLERANCE = {"min_psnr_db": 40.0}
_MAX_DB = 200.0  # stands for "identical", which JSON cannot write as infinity
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


def compare(expected: Array, seen: Array, value_range: tuple[float, float] | None) -> dict[str, float]:
    """`max_abs` and `mean_abs` in the output's own units, `psnr_db` over `value_range` ([0, 1] if None)."""
    low, high = value_range or (0.0, 1.0)
    error = seen.astype(np.float64) - expected.astype(np.float64)
    if not np.isfinite(error).all():
        return {"max_abs": float("inf"), "mean_abs": float("inf"), "psnr_db": -_MAX_DB}
    mse = float(np.mean(error**2))
    psnr_db = 10.0 * np.log10((high - low) ** 2 / mse) if mse > 0 else _MAX_DB
    return {
        "max_abs": float(np.abs(error).max()),
        "mean_abs": float(np.abs(error).mean()),
        "psnr_db": float(min(psnr_db, _MAX_DB)),
    }


def cast(given: Mapping[str, Array], inputs: tuple[TensorSpec, ...]) -> dict[str, Array]:
    """Golden inputs, which are stored as float32, in the dtypes that an artefact takes."""
    return {spec.name: given[spec.name].astype(spec.dtype, copy=False) for spec in inputs}


def measure(
    run: Run,
    pairs: Golden,
    outputs: tuple[TensorSpec, ...],
    inputs: tuple[TensorSpec, ...],
    tolerance: Mapping[str, float],
) -> Verification:
    """Runs every pair, `pairs.batch` at a time, and compares every output; the worst picture decides.

    `tolerance` may hold `max_abs` and `min_psnr_db`. Inputs are cast to what `inputs` says.
    """
    figures: list[dict[str, float]] = []
    likeness: list[float] = []
    for given, expected in pairs.calls():
        seen = run(cast(given, inputs))
        for spec in outputs:
            for wanted, found in zip(expected.get(spec.name, ()), seen[spec.name], strict=False):
                if wanted.shape != found.shape:
                    raise CardError(f"'{spec.name}' comes out as {found.shape}", f"the golden pairs say {wanted.shape}")
                figures.append(compare(wanted, found, spec.value_range))
                likeness += [_ssim(wanted, found, spec)] if spec.layout != "NC" else []
    max_abs, worst_db = max(f["max_abs"] for f in figures), min(f["psnr_db"] for f in figures)
    misses = []
    if "max_abs" in tolerance and not max_abs <= tolerance["max_abs"]:
        misses.append(f"max abs {max_abs:.2g}, allowed {tolerance['max_abs']:.2g}")
    if "min_psnr_db" in tolerance and not worst_db >= tolerance["min_psnr_db"]:
        misses.append(f"worst picture {worst_db:.1f} dB, at least {tolerance['min_psnr_db']:.1f} dB wanted")
    return Verification(
        status="failed" if misses else "passed",
        reason=", ".join(misses),
        pictures=len(pairs),
        max_abs=max_abs,
        mean_abs=float(np.mean([f["mean_abs"] for f in figures])),
        psnr_mean_db=float(np.mean([f["psnr_db"] for f in figures])),
        psnr_worst_db=worst_db,
        ssim_mean=round(float(np.mean(likeness)), 6) if likeness else None,
        ssim_worst=round(min(likeness), 6) if likeness else None,
        tolerance=dict(tolerance),
    )


def _ssim(expected: Array, seen: Array, spec: TensorSpec) -> float:
    """Of two pictures; -1 where a value is not finite."""
    if not np.isfinite(seen).all():
        return -1.0
    return ssim(upright(expected, spec), upright(seen, spec), spec.value_range or (0.0, 1.0))


def upright(picture: Array, spec: TensorSpec) -> Array:
    """One picture as (H, W, C), whatever the layout of `spec`."""
    return picture.transpose(1, 2, 0) if spec.layout == "NCHW" else picture


def tolerance(card: ModelCard, key: str = "") -> Mapping[str, float]:
    """What the entry `key` of the card's verification is held to: what the card states for it, else the loosest that
    it states for any other, else DEFAULT_TOLERANCE.
    """
    stated = {name: found.tolerance for name, found in card.verification.items() if found.tolerance}
    if key in stated or not stated:
        return stated.get(key, DEFAULT_TOLERANCE)
    common = set.intersection(*(set(each) for each in stated.values()))
    loosest = {"max_abs": max, "min_psnr_db": min}
    return {what: pick(each[what] for each in stated.values()) for what, pick in loosest.items() if what in common}


def verify(run: Run, artefact: Artefact, key: str = "") -> Verification | None:
    """Measures `run` on the pairs beside `artefact`, and at other sizes; None where there are none for it.

    `key` is the entry of the card whose `tolerance` it has to keep.
    """
    pairs = beside(artefact)
    if pairs is None:
        return None
    card = artefact.card
    found = measure(run, pairs, card.outputs, card.inputs, tolerance(card, key))
    return at_calls(run, found, calls_beside(artefact), card)


def at_calls(run: Run, found: Verification, calls: Mapping[str, Golden], card: ModelCard) -> Verification:
    """`found` with the PSNR of further calls, each of which has to keep the tolerance of `found` as well."""
    # Sums over more pixels end in other digits, and one value of many lies far out: there the PSNR alone decides.
    held = {k: v for k, v in found.tolerance.items() if k != "max_abs" or "min_psnr_db" not in found.tolerance}
    for where, pairs in calls.items():
        there = measure(run, pairs, card.outputs, card.inputs, held)
        reasons = [reason for reason in (found.reason, there.reason and f"at {where}: {there.reason}") if reason]
        found = msgspec.structs.replace(
            found,
            status="failed" if "failed" in (found.status, there.status) else found.status,
            reason=", ".join(reasons),
            corners_db={**found.corners_db, where: round(there.psnr_worst_db or 0.0, 2)},
        )
    return found
