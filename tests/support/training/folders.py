"""Folders of pictures as data sets come: domains, pairs, CelebA, RaFD."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = 16
RED, BLUE = (200, 20, 20), (20, 20, 200)


def save(path: Path, colour: tuple[int, ...], size: tuple[int, int] = (20, 14), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).convert(mode).save(path)


def fill(folder: Path, count: int, colour: tuple[int, int, int], suffix: str = ".png") -> Path:
    """Pictures whose green channel is ten times their number."""
    for i in range(count):
        save(folder / f"{i:03d}{suffix}", (colour[0], 10 * i, colour[2]))
    return folder


def side_by_side(folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    for i in range(count):
        pixels = np.zeros((14, 40, 3), np.uint8)
        pixels[:, :20], pixels[:, 20:] = (RED[0], 10 * i, RED[2]), (BLUE[0], 10 * i, BLUE[2])
        Image.fromarray(pixels).save(folder / f"{i:03d}.png")


def layout(top: Path, *, test: bool = True, a: int = 12, b: int = 12, suffix: str = ".png") -> Path:
    for part in ("train", "test")[: 1 + test]:
        fill(top / f"{part}A", a if part == "train" else 3, RED)
        fill(top / f"{part}B", b if part == "train" else 3, BLUE, suffix)
    return top


def number(picture: np.ndarray) -> int:
    return round(float(picture[..., 1].mean()) / 10)


# Any kind as pictures, and bad files in every kind that reads files


def celeba(top: Path) -> Path:
    fill(top / "img_align_celeba", 12, RED)
    rows = "".join(f"{i:03d}.png {1 - 2 * (i % 2)}\n" for i in range(12))
    (top / "list_attr_celeba.txt").write_text(f"12\nSmiling\n{rows}")
    (top / "list_eval_partition.txt").write_text("".join(f"{i:03d}.png 0\n" for i in range(12)))
    return top / "img_align_celeba"


def domains(top: Path) -> Path:
    fill(top / "bee", 12, BLUE)
    return fill(top / "ant", 12, RED)


def rafd(top: Path) -> Path:
    for i, expression in enumerate(("angry", "contemptuous", "disgusted", "fearful", "happy", "neutral", "sad")):
        save(top / f"Rafd090_01_Caucasian_male_{expression}_frontal.png", (RED[0], 10 * i, RED[2]))
    for i, gaze in enumerate(("frontal", "left", "right")):
        save(top / f"Rafd090_01_Caucasian_male_surprised_{gaze}.png", (RED[0], 10 * i, RED[2]))
    return top


# What lays out at least ten pictures of each kind; it returns the folder in which to damage them.
FILES: dict[str, Callable[[Path], Path]] = {
    "celeba": celeba,
    "flat": lambda top: fill(top, 12, RED),
    "folders": domains,
    "paired": lambda top: side_by_side(top / "train", 12) or top / "train",  # type: ignore[func-returns-value]
    "rafd": rafd,
    "unaligned": lambda top: layout(top) / "trainA",
}
