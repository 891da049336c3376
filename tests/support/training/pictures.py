"""Pictures and folders of them, for data sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from edgegan.data import Labelled, open_labelled


def picture(seed: int = 0, width: int = 40, height: int = 30) -> Image.Image:
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (5, 5, 3), np.uint8))
    return small.resize((width, height), Image.Resampling.BICUBIC)


def folder_of(folder: Path, count: int) -> Path:
    folder.mkdir(parents=True)
    for i in range(count):
        picture(i).save(folder / f"{i:03d}.png")
    return folder


def flat(folder: Path, split: str = "train", size: int = 16) -> Labelled:
    return open_labelled(f"flat:{folder}", size=size, names=(), split=split)
