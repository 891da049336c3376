"""CelebA's files in the published form, of any length and with any attributes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

LINE_2 = (
    "5_o_Clock_Shadow Arched_Eyebrows Attractive Bags_Under_Eyes Bald Bangs Big_Lips Big_Nose Black_Hair Blond_Hair "
    "Blurry Brown_Hair Bushy_Eyebrows Chubby Double_Chin Eyeglasses Goatee Gray_Hair Heavy_Makeup High_Cheekbones Male "
    "Mouth_Slightly_Open Mustache Narrow_Eyes No_Beard Oval_Face Pale_Skin Pointy_Nose Receding_Hairline Rosy_Cheeks "
    "Sideburns Smiling Straight_Hair Wavy_Hair Wearing_Earrings Wearing_Hat Wearing_Lipstick Wearing_Necklace "
    "Wearing_Necktie Young"
)
FORTY = LINE_2.split()


def labels(count: int, width: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 2, (count, width))


def attribute_text(on: np.ndarray, names: Sequence[str]) -> str:
    """The very form of the published file: right-aligned values, a blank after the names."""
    rows = [f"{i + 1:06d}.jpg " + " ".join(f"{1 if v else -1:2d}" for v in row) for i, row in enumerate(on)]
    return "\n".join([str(len(on)), " ".join(names) + " ", *rows]) + "\n"


def make(folder: Path, count: int, *, names: Sequence[str] = FORTY, partition: bool = True) -> np.ndarray:
    """A CelebA folder whose picture number i is grey of level i, 178 x 218; returns its 0/1 labels."""
    (folder / "img_align_celeba").mkdir(parents=True)
    for i in range(count):
        Image.new("RGB", (178, 218), (i, i, i)).save(folder / "img_align_celeba" / f"{i + 1:06d}.jpg", quality=100)
    on = labels(count, len(names))
    (folder / "list_attr_celeba.txt").write_text(attribute_text(on, names))
    if partition:
        rows = [f"{i + 1:06d}.jpg {(0, 0, 0, 1, 2)[i % 5]}\n" for i in range(count)]
        (folder / "list_eval_partition.txt").write_text("".join(rows))
    return on
