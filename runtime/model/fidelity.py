"""How close a backend comes to fp32 eager, measured on golden pairs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..errors import CardError
from . import golden
from .artefact import Artefact
from .card import ModelCard, TensorSpec
from .golden import Golden
from .ssim import ssim
from .verification import Verification

Array = NDArray[Any]
Network = Callable[[Mapping[str, Array]], Mapping[str, Array]]  # inputs by name -> outputs by name

# For cards that state no tolerance: below this an edit looks different from what was trained.
DEFAULT_TOLERANCE = {"min_psnr_db": 40.0}
OTHERS = "others"  # in a card's tolerances: every backend that it does not name
_MAX_DB = 200.0  # stands for "identical", which JSON cannot write as infinity


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
    run: Network,
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
    return ssim(to_hwc(expected, spec), to_hwc(seen, spec), spec.value_range or (0.0, 1.0))


def to_hwc(picture: Array, spec: TensorSpec) -> Array:
    """One picture as (H, W, C), whatever the layout of `spec`."""
    return picture.transpose(1, 2, 0) if spec.layout == "NCHW" else picture


def tolerance(card: ModelCard, key: str = "") -> Mapping[str, float]:
    """What the entry `key` of the card's verification is held to: `max_abs` and `min_psnr_db`.

    It is what the card states for it, in `tolerances` or beside its figures; else for OTHERS; else the loosest that it
    states for any entry; else DEFAULT_TOLERANCE.
    """
    beside = {name: found.tolerance for name, found in card.verification.items() if found.tolerance}
    stated = {**beside, **card.tolerances}
    if key in stated or OTHERS in stated or not stated:
        return stated.get(key) or stated.get(OTHERS) or DEFAULT_TOLERANCE
    common = set.intersection(*(set(each) for each in stated.values()))
    loosest = {"max_abs": max, "min_psnr_db": min}
    return {what: pick(each[what] for each in stated.values()) for what, pick in loosest.items() if what in common}


def verify(run: Network, artefact: Artefact, key: str = "") -> Verification | None:
    """Measures `run` on the pairs beside `artefact`, and at other sizes; None where there are none for it.

    `key` is the entry of the card whose `tolerance` it has to keep.
    """
    pairs = golden.beside(artefact)
    if pairs is None:
        return None
    card = artefact.card
    found = measure(run, pairs, card.outputs, card.inputs, tolerance(card, key))
    return measure_calls(run, found, golden.calls_beside(artefact), card)


def measure_calls(run: Network, found: Verification, calls: Mapping[str, Golden], card: ModelCard) -> Verification:
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
