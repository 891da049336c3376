"""The sliced Wasserstein distance on Laplacian pyramids (Karras et al., "Progressive Growing of GANs", section 5)."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edgegan.runtime.errors import InputError
from edgegan.sheet import Picture

PATCH, PATCHES = 7, 128  # pixels; per picture and level
DIRECTIONS, AT_ONCE = 512, 128
COARSEST = 16  # the last level's shorter side is at least this, in pixels

Levels = dict[int, NDArray[np.float32]]  # a level's height -> patches (N * PATCHES, 3 * PATCH * PATCH), normalised
Plane = NDArray[np.float32]  # (H, W, 3)

_BINOMIAL = np.array([1, 4, 6, 4, 1], np.float32) / 16


def swd(a: Levels, b: Levels, seed: int = 0) -> dict[int, float]:
    """Per level, finest first, 1000 times the mean distance over 512 random directions; 0 for equal sets.

    Both sets must come from `descriptors` and have the same number of pictures.
    """
    return {height: 1e3 * _distance(a[height], b[height], seed) for height in a}


def descriptors(pictures: Sequence[Picture], seed: int = 0) -> Levels:
    """Random patches of every picture on every level, each channel of a level with mean 0 and deviation 1.

    Pictures are (H, W, 3) uint8 of one size. Where the patches lie depends on the seed, the picture's number and
    its size. Raises InputError for pictures smaller than a patch, or of different sizes.
    """
    if len({picture.shape for picture in pictures}) != 1 or min(pictures[0].shape[:2]) < PATCH:
        seen = ", ".join(sorted({f"{p.shape[0]}x{p.shape[1]}" for p in pictures}))
        raise InputError(f"pictures of {seen or 'no size'}", f"one size for all, at least {PATCH}x{PATCH}")
    found: dict[int, list[NDArray[np.float32]]] = {}
    for number, picture in enumerate(pictures):
        rng = np.random.Generator(np.random.Philox(key=[seed, number]))
        for plane in _pyramid(picture.astype(np.float32)):
            found.setdefault(len(plane), []).append(_patches(plane, rng))
    return {height: _normalise(np.concatenate(parts)) for height, parts in found.items()}


def _pyramid(picture: Plane) -> list[Plane]:
    """Differences between each size and the blurred next, finest first; at the end the coarsest size itself."""
    levels = []
    while min(picture.shape[:2]) // 2 >= COARSEST:
        coarse = _blur(picture)[::2, ::2]
        sparse = np.zeros_like(picture)
        sparse[::2, ::2] = 4 * coarse
        levels.append(picture - _blur(sparse))
        picture = coarse
    return [*levels, picture]


def _blur(plane: Plane) -> Plane:
    return np.asarray(cv2.sepFilter2D(plane, -1, _BINOMIAL, _BINOMIAL, borderType=cv2.BORDER_REFLECT_101), np.float32)


def _patches(plane: Plane, rng: np.random.Generator) -> NDArray[np.float32]:
    """(PATCHES, PATCH, PATCH, 3)"""
    y = rng.integers(plane.shape[0] - PATCH + 1, size=PATCHES)
    x = rng.integers(plane.shape[1] - PATCH + 1, size=PATCHES)
    windows = np.lib.stride_tricks.sliding_window_view(plane, (PATCH, PATCH), axis=(0, 1))
    patches: NDArray[np.float32] = windows[y, x].transpose(0, 2, 3, 1)
    return patches


def _normalise(patches: NDArray[np.float32]) -> NDArray[np.float32]:
    patches = patches - patches.mean((0, 1, 2), dtype=np.float64).astype(np.float32)
    deviation = patches.std((0, 1, 2), dtype=np.float64).astype(np.float32)
    flat: NDArray[np.float32] = (patches / np.maximum(deviation, 1e-8)).reshape(len(patches), -1)
    return flat


def _distance(a: NDArray[np.float32], b: NDArray[np.float32], seed: int) -> float:
    rng = np.random.Generator(np.random.Philox(seed))
    parts = []
    for _ in range(0, DIRECTIONS, AT_ONCE):
        directions = rng.standard_normal((a.shape[1], AT_ONCE), np.float32)
        directions /= np.linalg.norm(directions, axis=0, keepdims=True)
        parts.append(np.abs(np.sort(a @ directions, axis=0) - np.sort(b @ directions, axis=0)).mean(dtype=np.float64))
    return float(np.mean(parts))
