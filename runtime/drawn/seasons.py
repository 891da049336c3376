"""Drawn faces in two seasons: the same person dressed for summer and for winter, on warm and on cold ground.

All that tells one person from another stays or can be seen in both seasons, so that each picture has one true
partner: skin, glasses, beard, mouth, eyes and pose stay; the hat that hides the hair is of the hair's hue; a light
shirt becomes a sweater of the same hue, but dark.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import avatars
from .drawing import draw_rgb

SUMMER, WINTER = "summer", "winter"

_APART = 500_000_000  # half of a split's seeds: the people of one season are not those of the other
_HAT = {"Black_Hair": "#4a4266", "Blond_Hair": "#e8b93c", "Brown_Hair": "#b4552d", "Gray_Hair": "#eef3f6"}
_CLOTHES = {SUMMER: "shirtScoopNeck", WINTER: "collarAndSweater"}
_CLOTHES_COLOURS = {
    SUMMER: ("#8fd3ff", "#b5efb0", "#ffb3c1", "#fff3b8"),
    WINTER: ("#1f4e79", "#24543a", "#7a2440", "#6b5526"),
}
_GROUND = {SUMMER: "#ffd08a", WINTER: "#a9c6dc"}


@dataclass(frozen=True)
class Person:
    """Someone in a season."""

    face: avatars.Face
    season: str
    colour: int  # which of the clothes' colours


def person(seed: int, season: str) -> Person:
    """The person that belongs to a seed, dressed for SUMMER or WINTER; the same on every machine."""
    face = avatars.sample_face(seed)
    label = {**face.label, "Wearing_Hat": season == WINTER}
    # The face's own choice of clothes decides, so that the colours are independent of all that stays.
    colour = avatars._CLOTHES_COLOUR.index(face.clothes_colour) % len(_CLOTHES_COLOURS[season])
    return Person(replace(face, label=label), season, colour)


def people(split: str, count: int, season: str, *, paired: bool) -> list[Person]:
    """`count` people of a split of `avatars.seeds`; unless `paired`, those of the two seasons are different people."""
    start = 0 if paired or season == SUMMER else _APART
    return [person(seed, season) for seed in avatars.seeds(split, count, start)]


def options(someone: Person) -> dict[str, Any]:
    """What DiceBear is asked to draw."""
    face, season = someone.face, someone.season
    hair = next(n for n in avatars.HAIR if face.label[n])
    return avatars._options(face) | {
        "backgroundColor": [_GROUND[season]],
        "clothesVariant": [_CLOTHES[season]],
        "clothesColor": [_CLOTHES_COLOURS[season][someone.colour]],
        "hatColor": [_HAT[hair]],
    }


def render_rgb(someone: Person, size: int) -> NDArray[np.uint8]:
    """Draws a person: (size, size, 3) uint8, RGB. Raises MissingExtraError without the `avatars` extra."""
    return draw_rgb("avataaars", options(someone), size)
