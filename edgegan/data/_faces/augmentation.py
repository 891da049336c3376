"""What a webcam may do to a face: place, background, light, colour, noise, compression and blur, drawn anew each time.

A studio portrait is not a webcam picture. Every change draws from the generator it is given, and from nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import cv2
import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from edgegan.ranges import Share

Floats = NDArray[np.float32]
Rng = np.random.Generator


class Augmentation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far training pictures are changed; the neutral value of each field is 0."""

    rotation: Annotated[float, Meta(ge=0, le=180)] = 7.0  # degrees, either way
    scale: Share = 0.10  # share, either way
    shift: Share = 0.03  # of the crop's edge, either way
    background: Share = 0.6  # probability of another background, where there is a mask
    light: Share = 0.14  # deviation of the exposure and, half of it, of a light from one side
    colour: Share = 0.06  # deviation of each channel's gain
    gamma: Share = 0.12  # deviation of the exponent
    noise: Share = 0.03  # the most deviation of the camera's noise, of the range from black to white
    jpeg: Share = 0.4  # probability of JPEG compression, of quality 35 to 95
    blur: Share = 0.3  # probability of a blur by up to a pixel
    hair: Share = 0.0  # probability that a picture to edit has the hair colour of another, where its hair is known
    even: Share = 0.0  # of those, the share whose other is drawn evenly by how light the hair is, not by its colour


@dataclass(frozen=True)
class Light:
    """What became of colours: out = in ** gamma * gain, of which `cast` (3,) is the colour of the light.

    `gain` (H, W, 1) is the exposure, and a light from one side.
    """

    gamma: float
    gain: Floats
    cast: Floats

    def soften(self, share: float, warmth: float | None = None) -> Light:
        """The same light with that share of its colour; of what makes it yellower, with the share `warmth`."""
        colour = np.log(self.cast)
        yellow = max(0.0, float(colour[0] - colour[2]) / 2) * np.array([1.0, 0.0, -1.0], np.float32)
        kept = share * (colour - yellow) + (share if warmth is None else warmth) * yellow
        return Light(self.gamma, self.gain, np.exp(kept).astype(np.float32))

    def apply(self, picture: Floats) -> Floats:
        """(H, W, 3) in [0, 1] -> the same, clipped."""
        lit: Floats = np.clip(np.power(np.clip(picture, 0.0, 1.0), self.gamma) * self.gain * self.cast, 0.0, 1.0)
        return lit


def draw_placement(cfg: Augmentation, edge: int, crop: int, size: int, rng: Rng) -> NDArray[np.float64]:
    """(2, 3): from the pixels of a stored picture of `edge` to those of a training crop of `size`.

    In the middle of the stored picture lies the crop of `crop` pixels that live editing would cut.
    """
    angle, grow, dx, dy = rng.uniform(-1.0, 1.0, 4)
    factor = size / crop * float(np.exp(cfg.scale * grow))
    matrix = cv2.getRotationMatrix2D(((edge - 1) / 2, (edge - 1) / 2), cfg.rotation * angle, factor).astype(np.float64)
    matrix[:, 2] += (size - edge) / 2 + cfg.shift * size * np.array([dx, dy])
    return matrix


def place(picture: NDArray[np.uint8], matrix: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
    """(H, W[, 3]) -> (size, size[, 3]); beyond the picture's edge its last pixels go on."""
    shrink = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if shrink < 0.75:  # a strong reduction averages first
        picture = cv2.GaussianBlur(picture, (0, 0), 0.4 / shrink)  # type: ignore[assignment]
    return cv2.warpAffine(  # type: ignore[return-value]
        picture, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def draw_light(cfg: Augmentation, size: int, rng: Rng) -> Light:
    """An exposure, a colour cast, a gamma, and a light from one side."""
    exposure, side = rng.normal(0.0, cfg.light), rng.normal(0.0, 0.5 * cfg.light)
    cast = rng.normal(0.0, cfg.colour, 3)
    warmth = rng.normal(0.0, cfg.colour)  # along the line from blue to yellow light, which rooms differ in most
    gamma = float(np.exp(rng.normal(0.0, cfg.gamma)))
    angle = rng.uniform(0.0, 2.0 * np.pi)
    y, x = (np.mgrid[:size, :size].astype(np.float32) + 0.5) / size - 0.5
    slope = 2.0 * side * (np.cos(angle) * x + np.sin(angle) * y)
    gain = np.exp(exposure + slope)[:, :, None]
    colour = np.exp(cast + warmth * np.array([1.0, 0.0, -1.0]))
    return Light(gamma, gain.astype(np.float32), colour.astype(np.float32))


def degrade(cfg: Augmentation, picture: Floats, rng: Rng) -> Floats:
    """(H, W, 3) in [0, 1] -> the same after a lens, a sensor and a codec."""
    size = len(picture)
    if rng.random() < cfg.blur:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.0)), np.float32)
    deviation = rng.uniform(0.0, cfg.noise) if cfg.noise else 0.0
    grain = rng.normal(0.0, 1.0, (size, size, 3)).astype(np.float32)
    if rng.random() < 0.5:  # sensors that denoise leave coarser, greyer grain
        grain = 2.0 * np.asarray(cv2.GaussianBlur(grain, (0, 0), 0.8), np.float32)
        grain = 0.7 * grain.mean(2, keepdims=True) + 0.3 * grain
    picture = np.clip(picture + np.float32(deviation) * grain, 0.0, 1.0)
    if rng.random() < cfg.jpeg:
        quality = int(rng.integers(35, 96))
        _, data = cv2.imencode(".jpg", (picture[:, :, ::-1] * 255.0).round().astype(np.uint8), [1, quality])
        picture = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), np.float32) / 255.0
    return picture
