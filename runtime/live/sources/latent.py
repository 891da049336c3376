"""The beat of a latent walk: blank frames at a steady rate, each a picture to be drawn. Needs no camera."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import numpy as np

from ...errors import InputError
from ..source import Frame, Source, Wanted, frame_of

_SPEC = re.compile(r"latent(?:@(\d+(?:\.\d+)?))?(?:#(\d+))?")


def accepts(spec: str) -> bool:
    """`latent`, and all that begins so and is no path."""
    return spec.partition("@")[0].partition("#")[0] == "latent"


def open_frames(spec: str, wanted: Wanted) -> Beat:
    """Opens `latent[@FPS][#SEED]`."""
    parts = _SPEC.fullmatch(spec)
    rate = float(parts[1]) if parts and parts[1] else wanted.fps or 30.0
    if not parts or not 1 <= rate <= 240:
        raise InputError(f"source {spec!r} cannot be read", "latent[@FPS][#SEED], 1 to 240 frames per second")
    return Beat(wanted.size_hw or (256, 256), fps=rate, seed=int(parts[2] or 0))


class Beat(Source):
    """Blank frames of the model's size. Set `live` to False for a recording: they then come as fast as they go."""

    live = True
    length = None

    def __init__(self, size_hw: tuple[int, int], *, fps: float = 30.0, seed: int = 0) -> None:
        self.name, self.size_hw, self.fps, self.seed = "latent", size_hw, fps, seed
        self.about = f"latent walk: {size_hw[1]}x{size_hw[0]} at {fps:g} fps, seed {seed}"

    def __iter__(self) -> Iterator[Frame]:
        blank = np.zeros((*self.size_hw, 3), np.uint8)
        begin, index = time.monotonic(), 0
        while True:
            if self.live:
                time.sleep(max(0.0, begin + index / self.fps - time.monotonic()))
            yield frame_of(blank, index, self.name)
            index += 1
