"""Drawn faces with known labels: the synthetic camera, and training data that needs no download.

Faces are DiceBear's rendering of "Avataaars" by Pablo Stanley (free for personal and commercial use). Each
attribute value has one drawing and one colour, so every single edit has one true answer: the same face
rendered with that one option changed.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, MissingExtraError

# CelebA's names. A Goatee here is a drawn short beard; a hat hides the hair but not the hair's label.
ATTRIBUTES = (
    "Black_Hair",
    "Blond_Hair",
    "Brown_Hair",
    "Gray_Hair",
    "Eyeglasses",
    "Goatee",
    "Smiling",
    "Wearing_Hat",
)
HAIR = ATTRIBUTES[:4]
GROUPS = (HAIR,)

# Seeds of different splits never meet: `seeds("train", 3000)` and `seeds("heldout", 200)` are disjoint.
SPLITS = {"train": 0, "judge": 1_000_000_000, "heldout": 2_000_000_000, "live": 3_000_000_000}

_HAIR_COLOUR = {"Black_Hair": "#221a18", "Blond_Hair": "#d6b370", "Brown_Hair": "#8a4b26", "Gray_Hair": "#d5d2d2"}
_SKIN = ("#614335", "#ae5d29", "#d08b5b", "#edb98a", "#ffdbb4")
_CLOTHES = ("shirtCrewNeck", "shirtVNeck", "shirtScoopNeck", "collarAndSweater", "hoodie", "blazerAndShirt")
_CLOTHES_COLOUR = ("#262e33", "#65c9ff", "#5199e4", "#25557c", "#929598", "#a7ffc4", "#ffffb1", "#ff488e", "#e6e6e6")
_BACKGROUND = ("#88aa88", "#9bb7d4", "#c9b8d8", "#e9d8b4", "#b8d8d8", "#6f7f8f", "#d8a9a0", "#f2f2ee", "#4f6272")
_EYES = ("default", "default", "happy", "side", "surprised", "squint")
_EYE_CENTRES = ((0.4064, 0.4), (0.5936, 0.4))  # in the unposed drawing, as fractions
FRAMING = (1.14, 0.0, 0.06)  # the default scale and shift: head and shoulders


@dataclass(frozen=True)
class Pose:
    """How the drawing sits in the picture: scale, roll in degrees (clockwise), shift in picture widths."""

    scale: float = FRAMING[0]
    roll_deg: float = 0.0
    shift_x: float = FRAMING[1]
    shift_y: float = FRAMING[2]


@dataclass(frozen=True)
class Face:
    """One person: labels, and traits that no label names."""

    seed: int
    label: dict[str, bool]
    skin: str
    clothes: str
    clothes_colour: str
    background: str
    eyes: str
    pose: Pose = Pose()

    @property
    def hair_hidden(self) -> bool:
        """Whether a hat covers the hair, so that its colour cannot be seen."""
        return self.label["Wearing_Hat"]

    def edit(self, name: str, on: bool = True) -> Face:
        """The same face with one attribute changed: the true answer to that edit.

        Hair colours exclude each other: turning one on turns the others off. Raises InputError for an unknown
        name, or for turning a hair colour off (which colour should come instead?).
        """
        if name not in ATTRIBUTES:
            raise InputError(f"avatars have no attribute '{name}'", f"they have: {', '.join(ATTRIBUTES)}")
        if name in HAIR:
            if not on:
                raise InputError(f"cannot turn {name} off alone", todo="turn another hair colour on")
            return replace(self, label={**self.label, **dict.fromkeys(HAIR, False), name: True})
        return replace(self, label={**self.label, name: on})

    def edits(self) -> Iterator[tuple[str, bool, Face]]:
        """Every single edit with its true answer: (attribute, turned on, edited face)."""
        for name in ATTRIBUTES:
            if name in HAIR and self.label[name]:
                continue
            on = not self.label[name]
            yield name, on, self.edit(name, on)

    def vector(self) -> list[float]:
        """The labels as 0/1 in the order of ATTRIBUTES."""
        return [float(self.label[n]) for n in ATTRIBUTES]


def seeds(split: str, count: int, start: int = 0) -> range:
    """`count` seeds of a split ("train", "judge", "heldout", "live"), from number `start`; splits never meet."""
    if split not in SPLITS:
        raise InputError(f"no split is called '{split}'", f"there are: {', '.join(SPLITS)}")
    return range(SPLITS[split] + start, SPLITS[split] + start + count)


def sample_face(seed: int) -> Face:
    """The face that belongs to a seed, the same on every machine and Python version."""
    rng = Random(seed)  # only .random() is used: the one method whose stream Python promises to keep

    def pick(options: tuple[str, ...]) -> str:
        return options[int(rng.random() * len(options))]

    def jitter(half_width: float) -> float:
        return (2.0 * rng.random() - 1.0) * half_width

    hair = pick(HAIR)
    label = {n: n == hair for n in HAIR}
    label.update(
        Eyeglasses=rng.random() < 0.5,
        Goatee=rng.random() < 0.5,
        Smiling=rng.random() < 0.5,
        Wearing_Hat=rng.random() < 0.3,
    )
    return Face(
        seed=seed,
        label=label,
        skin=pick(_SKIN),
        clothes=pick(_CLOTHES),
        clothes_colour=pick(_CLOTHES_COLOUR),
        background=pick(_BACKGROUND),
        eyes=pick(_EYES),
        pose=Pose(
            scale=FRAMING[0] + jitter(0.05),
            roll_deg=jitter(4.0),
            shift_x=FRAMING[1] + jitter(0.02),
            shift_y=FRAMING[2] + jitter(0.015),
        ),
    )


def eye_positions(pose: Pose) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where the eyes lie in a rendered picture, left one first, as (x, y) fractions."""
    angle = math.radians(pose.roll_deg)
    cos, sin = math.cos(angle), math.sin(angle)

    def place(x: float, y: float) -> tuple[float, float]:
        dx, dy = pose.scale * (x - 0.5), pose.scale * (y - 0.5)
        return 0.5 + cos * dx - sin * dy + pose.shift_x, 0.5 + sin * dx + cos * dy + pose.shift_y

    left, right = _EYE_CENTRES
    return place(*left), place(*right)


def render_rgb(face: Face, size: int) -> NDArray[np.uint8]:
    """Draws a face: (size, size, 3) uint8, RGB. Raises MissingExtraError without the `avatars` extra."""
    try:
        import resvg_py
        from dicebear import Avatar
        from PIL import Image
    except ImportError as error:
        raise MissingExtraError(error.name or "dicebear", "avatars") from None
    svg = Avatar(_style(), _options(face)).to_string()
    png = resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size, skip_system_fonts=True)
    return np.asarray(Image.open(io.BytesIO(bytes(png))).convert("RGB"))


@cache
def _style() -> Any:
    from dicebear import Style

    return Style(json.loads(files("dicebear_styles").joinpath("avataaars.json").read_text("utf-8")))


def _options(face: Face) -> dict[str, Any]:
    hair = next(n for n in HAIR if face.label[n])
    return {
        "seed": "edgegan",  # every choice below is pinned, so the library's own seed decides nothing
        "backgroundColor": [face.background],
        "skinColor": [face.skin],
        "clothesVariant": [face.clothes],
        "clothesColor": [face.clothes_colour],
        "eyesVariant": [face.eyes],
        "eyebrowsVariant": ["default"],  # one kind: the hat hides brows, and truth is single-valued
        "mouthVariant": ["smile" if face.label["Smiling"] else "serious"],
        "topProbability": 100,
        "topVariant": ["winterHat03" if face.label["Wearing_Hat"] else "shortWaved"],
        "hairColor": [_HAIR_COLOUR[hair]],
        "hatColor": ["#ff5c5c"],
        "accessoriesVariant": ["prescription02"],
        "accessoriesColor": ["#262e33"],
        "accessoriesProbability": 100 * face.label["Eyeglasses"],
        "facialHairVariant": ["beardLight"],
        "facialHairColor": ["#241612"],
        "facialHairProbability": 100 * face.label["Goatee"],
        "scale": face.pose.scale,
        "rotate": face.pose.roll_deg,
        "translateX": 100 * face.pose.shift_x,
        "translateY": 100 * face.pose.shift_y,
    }
