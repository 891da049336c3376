"""Drawings of one of DiceBear's styles that are in the public domain (CC0): a hundred pictures for a few-shot model."""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgegan.runtime.drawn import drawing
from edgegan.runtime.drawn.avatars import seeds
from edgegan.runtime.errors import InputError

from ._written.rendered import RenderedPictures, parse_count, render

LICENCE = "CC0 1.0"
COUNT = {"train": 100, "judge": 200, "heldout": 200}


def open_pictures(place: str, *, size: int, split: str) -> RenderedPictures:
    """`place` is STYLE or STYLE:N with N training pictures, 100 if not said. Splits have seeds of their own.

    Raises InputError for a style that does not exist or is not in the public domain.
    """
    style, _, number = place.partition(":")
    licences = drawing.styles()
    if licences.get(style) != LICENCE:
        seen = f"its licence is not {LICENCE}, but: {licences[style]}" if style in licences else "no such style"
        free = ", ".join(name for name, licence in licences.items() if licence == LICENCE)
        raise InputError(f"--data dicebear:{place}: {seen}", f"styles under {LICENCE}: {free}")
    count = parse_count(number, f"dicebear:{style}", split, COUNT)
    made_with = f"{version('dicebear-core')} {version('dicebear-styles')}".encode()
    pixels = render(
        partial(_draw, style=style),
        seeds(split, count),
        size,
        name=f"{style}-{split}-{count}",
        version=f"{style} ".encode() + made_with + Path(drawing.__file__).read_bytes() + Path(__file__).read_bytes(),
    )
    return RenderedPictures(pixels, name=f"dicebear:{style}:{count} ({split}, {LICENCE})", licence=LICENCE)


def _draw(seed: int, size: int, *, style: str) -> NDArray[np.uint8]:
    return drawing.draw_rgb(style, {"seed": str(seed)}, size)
