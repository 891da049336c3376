"""Draws spectacles on an aligned face: an overlay with a known truth below it.

A picture with drawn spectacles, and the same one without, is a true pair: what a generator learns from few
photographs of people who wear glasses, and none of the same person without them, these pairs tell it exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Rng = np.random.Generator
Point = tuple[float, float]

_FINER = 4  # drawn so much larger, then averaged
_COLOURS = ((22, 20, 20), (48, 30, 20), (84, 52, 30), (70, 72, 76), (150, 150, 152), (150, 122, 72), (30, 36, 62))


@dataclass(frozen=True)
class Style:
    """Lengths in eye distances, colours RGB in [0, 255], shares in [0, 1]."""

    shape: Literal["round", "rectangle", "aviator", "half"] = "rectangle"
    width: float = 0.82
    height: float = 0.56
    thickness: float = 0.055
    drop: float = 0.06  # of the lenses' middles below the eyes
    colour: tuple[int, int, int] = (34, 28, 26)
    opacity: float = 0.94
    lens: float = 0.05  # how much the glass darkens
    glare: float = 0.0
    glare_angle: float = 0.0
    temples: float = 0.05  # how far the arms fall towards the ears


USUAL = Style()  # what the edit "add glasses" is shown, where one answer is wanted


def draw_style(rng: Rng) -> Style:
    """A random pair."""
    shape = ("round", "rectangle", "rectangle", "aviator", "half")[int(rng.integers(5))]
    return Style(
        shape=shape,  # type: ignore[arg-type]
        width=float(rng.uniform(0.66, 0.92)),
        height=float(rng.uniform(0.36, 0.70)),
        thickness=float(np.exp(rng.uniform(np.log(0.025), np.log(0.11)))),
        drop=float(rng.uniform(0.0, 0.14)),
        colour=_COLOURS[int(rng.integers(len(_COLOURS)))],
        opacity=float(rng.uniform(0.75, 1.0)),
        lens=float(rng.uniform(0.0, 0.15)),
        glare=float(rng.choice([0.0, 0.0, rng.uniform(0.1, 0.5)])),
        glare_angle=float(rng.uniform(0.0, np.pi)),
        temples=float(rng.uniform(-0.05, 0.1)),
    )


def draw_eyewear(style: Style, left: Point, right: Point, size: int) -> Floats:
    """(size, size, 4): RGB in [0, 1] and opacity, for the eyes at `left` and `right` in pixels."""
    a, b = np.array(left), np.array(right)
    unit = float(np.hypot(*(b - a)))
    along = (b - a) / unit
    down = np.array([-along[1], along[0]])
    canvas = size * _FINER
    frame, glass = np.zeros((canvas, canvas), np.uint8), np.zeros((canvas, canvas), np.uint8)
    line = max(1, round(style.thickness * unit * _FINER))
    centres = [eye + style.drop * unit * down for eye in (a, b)]

    def put(points: NDArray[np.float64]) -> NDArray[np.int32]:
        return np.round(points * _FINER).astype(np.int32)

    for centre, outward in zip(centres, (-1.0, 1.0), strict=True):
        outline = _outline(style, outward)
        points = put(centre + unit * (outline[:, :1] * along + outline[:, 1:] * down))
        cv2.fillPoly(glass, [points], 255)
        if style.shape == "half":
            upper = points[outline[:, 1] < 0.05]
            cv2.polylines(frame, [upper[np.argsort(upper[:, 0])]], False, 255, line, cv2.LINE_AA)
        else:
            cv2.polylines(frame, [points], True, 255, line, cv2.LINE_AA)
        hinge = centre + unit * (outward * style.width / 2 * along - 0.3 * style.height * down)
        ear = hinge + unit * (outward * 0.28 * along + style.temples * down)
        cv2.polylines(frame, [put(np.array([hinge, ear]))], False, 255, max(1, round(0.8 * line)), cv2.LINE_AA)
    inner = [
        c + unit * (s * (style.width / 2 - 0.03) * along - 0.12 * down) for c, s in zip(centres, (1, -1), strict=True)
    ]
    middle = (inner[0] + inner[1]) / 2 - 0.07 * unit * down
    cv2.polylines(frame, [put(np.array([inner[0], middle, inner[1]]))], False, 255, line, cv2.LINE_AA)
    return _shade(style, _reduce(frame, size), _reduce(glass, size))


def overlay(picture: Floats, eyewear: Floats) -> Floats:
    """(H, W, 3) in [0, 1] with the eyewear (H, W, 4) on it."""
    alpha = eyewear[:, :, 3:]
    worn: Floats = picture * (1.0 - alpha) + eyewear[:, :, :3] * alpha
    return worn


def _outline(style: Style, outward: float) -> NDArray[np.float64]:
    """(64, 2): one lens around its middle, in eye distances, x along the eyes and y down."""
    t = np.linspace(0.0, 2.0 * np.pi, 64, endpoint=False)
    power = {"round": 1.0, "rectangle": 0.45, "aviator": 0.75, "half": 0.5}[style.shape]
    x = np.sign(np.cos(t)) * np.abs(np.cos(t)) ** power * style.width / 2
    y = np.sign(np.sin(t)) * np.abs(np.sin(t)) ** power * style.height / 2
    if style.shape == "aviator":
        y = np.where(y > 0, y * (1.25 + 0.3 * outward * x / style.width), y)
    return np.stack([x, y], 1)


def _shade(style: Style, frame: Floats, glass: Floats) -> Floats:
    """Frame over glare over glass over a faint shadow below the frame."""
    size = len(frame)
    colour = np.array(style.colour, np.float32) / 255.0
    shadow = 0.22 * np.roll(
        np.asarray(cv2.GaussianBlur(frame, (0, 0), 0.012 * size), np.float32), max(1, size // 64), 0
    )
    y, x = np.mgrid[:size, :size] / size
    wave = np.cos(14.0 * (np.cos(style.glare_angle) * x + np.sin(style.glare_angle) * y))
    glare = style.glare * glass * np.clip(wave - 0.3, 0.0, 1.0).astype(np.float32)
    rgb, alpha = np.zeros((size, size, 3), np.float32), np.zeros((size, size), np.float32)
    for tone, cover in ((0.0, np.maximum(shadow, style.lens * glass)), (1.0, glare), (None, style.opacity * frame)):
        layer = colour if tone is None else np.full(3, tone, np.float32)
        share = cover[:, :, None]
        total = alpha + cover * (1.0 - alpha)
        mixed = layer * share + rgb * (alpha * (1.0 - cover))[:, :, None]
        rgb = np.asarray(mixed / np.maximum(total, 1e-6)[:, :, None], np.float32)
        alpha = np.asarray(total, np.float32)
    return np.concatenate([rgb, alpha[:, :, None]], 2).astype(np.float32)


def _reduce(mask: NDArray[np.uint8], size: int) -> Floats:
    return np.asarray(cv2.resize(mask, (size, size), interpolation=cv2.INTER_AREA), np.float32) / 255.0
