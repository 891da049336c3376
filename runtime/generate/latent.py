"""Latent vectors: how they are drawn, and the ways between them. Every vector is float32, N(0, 1) in each place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from ..errors import InputError
from ..types import Float32Array

Way = Literal["spherical", "linear"]

_MIN_TRUNCATION = 0.1  # below, nearly every draw would be thrown away
_AXES = 1 << 40  # directions are drawn from here on, where no picture's number comes


def draw(count: int, width: int, seed: int = 0, *, first: int = 0, truncate: float | None = None) -> Float32Array:
    """(count, width): vectors `first`, `first + 1`, ... of `seed`.

    Vector i depends on (seed, i) alone, whatever else is drawn. `truncate` draws again every value farther from 0
    than this (Brock et al. 2019, section 3.1): below 1 or so, pictures are more alike and more typical.

    Raises InputError for a negative count or seed, and for a truncation below 0.1.
    """
    if count < 0 or not 0 <= seed < 1 << 64:
        raise InputError(f"{count} latents of seed {seed} were asked for", "a count and a seed of 0 or more")
    if truncate is not None and not truncate >= _MIN_TRUNCATION:
        raise InputError(f"truncation at {truncate:g} was asked for", f"a number from {_MIN_TRUNCATION:g}, such as 1")
    drawn = np.empty((count, width), np.float32)
    for row, index in zip(drawn, range(first, first + count), strict=True):
        rng = np.random.Generator(np.random.Philox(key=np.array([seed, index], np.uint64)))
        row[:] = rng.standard_normal(width, np.float32)
        while truncate is not None and (far := np.abs(row) > truncate).any():
            row[far] = rng.standard_normal(int(far.sum()), np.float32)
    return drawn


def interpolate(a: Float32Array, b: Float32Array, t: float, way: Way = "spherical") -> Float32Array:
    """Returns the vector a share `t` in [0, 1] of the way from `a` to `b`, which it meets exactly at 0 and 1.

    The spherical way (Shoemake 1985) keeps the length that vectors of N(0, 1) have; the straight one passes through
    short vectors, which training has not seen.
    """
    if way == "spherical":
        cosine = float(a @ b) / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12)
        angle = float(np.arccos(np.clip(cosine, -1.0, 1.0)))
        if np.sin(angle) > 1e-4:
            mixed = (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)
            return np.asarray(mixed, np.float32)
    straight: Float32Array = ((1 - t) * a + t * b).astype(np.float32)
    return straight


def walk(stop: Callable[[int], Float32Array], position: float, way: Way = "spherical") -> Float32Array:
    """Returns the vector at `position` on a walk from stop 0 to stop 1, 2, ...

    The walk is slow at each stop, so that no turn is sharp.
    """
    number = int(np.floor(position))
    share = position - number
    return interpolate(stop(number), stop(number + 1), share * share * (3 - 2 * share), way)


def directions(count: int, width: int) -> Float32Array:
    """(min(count, width), width): directions at right angles to each other, of length 1, always the same."""
    axes, _ = np.linalg.qr(draw(min(count, width), width, first=_AXES).T.astype(np.float64))
    found: Float32Array = np.ascontiguousarray(axes.T, np.float32)
    return found


def lean(latent: Float32Array, axes: Float32Array, weights: Float32Array) -> Float32Array:
    """Turns `latent` towards `axes` (n, width), its length kept.

    A weight of 1 turns by 45 degrees, -1 by as much away from the axis.
    """
    length = float(np.linalg.norm(latent))
    turned = latent + length * (weights @ axes)
    kept: Float32Array = (turned * (length / max(float(np.linalg.norm(turned)), 1e-12))).astype(np.float32)
    return kept if np.any(weights) else latent
