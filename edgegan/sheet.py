"""Contact sheets: rows of pictures under captions, as one PNG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from edgegan.runtime.files import atomic_path

Picture = NDArray[np.uint8]  # (H, W, 3), RGB


@dataclass(frozen=True)
class Sheet:
    """Pictures of one size in rows. A cell that is None stays empty."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Picture | None]]
    row_names: Sequence[str] = ()
    title: str = ""

    def image(self, scale: int = 1) -> Image.Image:
        """The sheet, every picture enlarged `scale` times without smoothing."""
        first = next(cell for row in self.rows for cell in row if cell is not None)
        high, wide = first.shape[0] * scale, first.shape[1] * scale
        font = ImageFont.load_default(max(10, min(16, wide // 9)))
        left = 8 + max((int(font.getlength(n)) for n in self.row_names), default=-8)
        top = 22 + (22 if self.title else 0)
        sheet = Image.new("RGB", (left + (wide + 4) * len(self.columns), top + (high + 4) * len(self.rows)), "white")
        draw = ImageDraw.Draw(sheet)
        if self.title:
            draw.text((left, 4), self.title, fill="black", font=font)
        for i, name in enumerate(self.columns):
            draw.text((left + i * (wide + 4), top - 18), name, fill="black", font=font)
        for j, row in enumerate(self.rows):
            y = top + j * (high + 4)
            if j < len(self.row_names):
                draw.text((2, y + high // 2 - 8), self.row_names[j], fill="black", font=font)
            for i, cell in enumerate(row):
                if cell is not None:
                    picture = Image.fromarray(cell)
                    sheet.paste(picture.resize((wide, high), Image.Resampling.NEAREST), (left + i * (wide + 4), y))
        return sheet

    def save(self, path: Path, scale: int = 1) -> None:
        """Writes the sheet as PNG, atomically."""
        with atomic_path(path) as temporary:
            self.image(scale).save(temporary)


def to_picture(tensor: object, value_range: tuple[float, float] = (-1.0, 1.0)) -> Picture:
    """(3, H, W) in `value_range` -> (H, W, 3) uint8; clipped, rounded to nearest."""
    low, high = value_range
    array = (np.asarray(tensor, np.float32).transpose(1, 2, 0) - low) * (255.0 / (high - low))
    picture: Picture = np.clip(np.rint(array), 0, 255).astype(np.uint8)
    return picture
