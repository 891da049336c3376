"""Backgrounds that are no studio: gradients, cloudy noise, walls and shelves, and photographs without people."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from edgegan.runtime.errors import MissingExtraError

Picture = NDArray[np.uint8]  # (H, W, 3), RGB
Rng = np.random.Generator

# Photographs that scikit-image carries, without people in them.
PHOTOGRAPHS = ("brick", "chelsea", "coffee", "grass", "gravel", "rocket")


def draw_background(size: int, rng: Rng) -> Picture:
    """A background (size, size, 3), of a kind that is drawn too."""
    kinds = (_draw_gradient, _draw_clouds, _draw_room, _cut_photograph, _cut_photograph)
    picture = kinds[int(rng.integers(len(kinds)))](size, rng)
    sharpness = rng.uniform(0.0, 3.0)  # cameras focus on the face
    if sharpness > 0.5:
        picture = cv2.GaussianBlur(picture, (0, 0), sharpness)  # type: ignore[assignment]
    return picture


def composite(picture: Picture, person: NDArray[np.float32], background: Picture) -> Picture:
    """The person (H, W) in [0, 1] before a background. The border of the mask is drawn in by about a pixel, so that
    the old background does not shine around the hair."""
    alpha = np.clip(1.6 * np.asarray(cv2.GaussianBlur(person, (0, 0), 1.0)) - 0.6, 0.0, 1.0)[:, :, None]
    mixed: Picture = (alpha * picture + (1.0 - alpha) * background).round().astype(np.uint8)
    return mixed


def _draw_colour(rng: Rng) -> NDArray[np.float64]:
    """Mostly grey, as rooms are."""
    value, saturation = rng.uniform(0.05, 1.0), rng.beta(1.2, 3.0)
    hue = rng.dirichlet(np.ones(3)) * 3.0
    colour: NDArray[np.float64] = np.clip(255.0 * value * ((1.0 - saturation) + saturation * hue), 0.0, 255.0)
    return colour


def _draw_gradient(size: int, rng: Rng) -> Picture:
    angle = rng.uniform(0.0, 2.0 * np.pi)
    y, x = (np.mgrid[:size, :size] + 0.5) / size - 0.5
    along = np.clip(0.5 + np.cos(angle) * x + np.sin(angle) * y, 0.0, 1.0)[:, :, None]
    drawn: Picture = ((1.0 - along) * _draw_colour(rng) + along * _draw_colour(rng)).astype(np.uint8)
    return drawn


def _draw_clouds(size: int, rng: Rng) -> Picture:
    """Noise of several sizes between two or three colours."""
    field = np.zeros((size, size), np.float32)
    for cells in (2, 4, 8, 16, 32):
        noise = rng.random((cells, cells)).astype(np.float32)
        field += np.asarray(cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC)) / np.sqrt(cells)
    field = (field - field.min()) / max(float(np.ptp(field)), 1e-6)
    a, b, c = (_draw_colour(rng) for _ in range(3))
    level = field[:, :, None]
    mixed = np.where(level < 0.5, a + 2.0 * level * (b - a), b + (2.0 * level - 1.0) * (c - b))
    drawn: Picture = np.clip(mixed, 0.0, 255.0).astype(np.uint8)
    return drawn


def _draw_room(size: int, rng: Rng) -> Picture:
    """A wall with upright and flat shapes on it: doors, windows, shelves, pictures."""
    picture = _draw_gradient(size, rng)
    for _ in range(int(rng.integers(2, 12))):
        x, y = rng.uniform(-0.2, 1.0, 2) * size
        width, height = rng.uniform(0.03, 0.7, 2) * size
        corner, other = (int(x), int(y)), (int(x + width), int(y + height))
        colour = tuple(float(c) for c in _draw_colour(rng))
        cv2.rectangle(picture, corner, other, colour, -1)
        if rng.random() < 0.5:
            edge = tuple(float(c) for c in _draw_colour(rng))
            cv2.rectangle(picture, corner, other, edge, int(rng.integers(1, 4)))
    return picture


def _cut_photograph(size: int, rng: Rng) -> Picture:
    photograph = _photographs()[int(rng.integers(len(PHOTOGRAPHS)))]
    height, width = photograph.shape[:2]
    side = int(rng.uniform(0.25, 1.0) * min(height, width))
    top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    cut = photograph[top : top + side, left : left + side]
    if rng.random() < 0.5:
        cut = cut[:, ::-1]
    how = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    cut = cv2.resize(np.ascontiguousarray(cut), (size, size), interpolation=how)  # type: ignore[assignment]
    tint = _draw_colour(rng) / 255.0
    return np.clip(cut * (0.6 + 0.8 * tint / max(float(tint.mean()), 0.05)), 0.0, 255.0).astype(np.uint8)


@cache
def _photographs() -> tuple[Picture, ...]:
    try:
        from skimage import data
    except ImportError as error:
        raise MissingExtraError(error.name or "skimage", "train") from None
    found = []
    for name in PHOTOGRAPHS:
        picture = np.asarray(getattr(data, name)())
        found.append(np.ascontiguousarray(np.repeat(picture[:, :, None], 3, 2) if picture.ndim == 2 else picture))
    return tuple(found)
