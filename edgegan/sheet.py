"""Contact sheets: rows of pictures under captions, as one PNG."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from edgegan.runtime.files import atomic_path

Picture = NDArray[np.uint8]  # (H, W, 3), RGB

LEAST = 96  # pixels across a cell: smaller pictures are hard to judge
_GAP, _LINE = 4, 18  # pixels between cells, and of a line of text


@dataclass(frozen=True)
class Sheet:
    """Pictures of one size in rows. A cell that is None stays empty."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Picture | None]]
    row_names: Sequence[str] = ()
    title: str = ""

    def image(self, scale: int | None = None) -> Image.Image:
        """The sheet, every picture enlarged `scale` times without smoothing.

        By default small pictures are enlarged to at least 96 px. Captions are broken into lines where they are wider
        than what they stand over.
        """
        first = next(cell for row in self.rows for cell in row if cell is not None)
        scale = scale or max(1, -(-LEAST // first.shape[1]))
        high, wide = first.shape[0] * scale, first.shape[1] * scale
        font = ImageFont.load_default(max(10, min(16, wide // 9)))
        left = 8 + max((int(font.getlength(n)) for n in self.row_names), default=-8)
        width = left + (wide + _GAP) * len(self.columns)
        title = _wrap(self.title, font, width - left)
        captions = [_wrap(name, font, wide) for name in self.columns]
        lines = max((len(caption) for caption in captions), default=0)
        over = _GAP + _LINE * len(title)
        top = over + max(_LINE * lines, _LINE - _GAP)
        sheet = Image.new("RGB", (width, top + (high + _GAP) * len(self.rows)), "white")
        draw = ImageDraw.Draw(sheet)
        for k, line in enumerate(title):
            draw.text((left, _GAP + k * _LINE), line, fill="black", font=font)
        for i, caption in enumerate(captions):
            for k, line in enumerate(caption, lines - len(caption)):
                draw.text((left + i * (wide + _GAP), over + k * _LINE), line, fill="black", font=font)
        for j, row in enumerate(self.rows):
            y = top + j * (high + _GAP)
            if j < len(self.row_names):
                draw.text((2, y + high // 2 - 8), self.row_names[j], fill="black", font=font)
            for i, cell in enumerate(row):
                if cell is not None:
                    picture = Image.fromarray(cell)
                    sheet.paste(picture.resize((wide, high), Image.Resampling.NEAREST), (left + i * (wide + _GAP), y))
        return sheet

    def save(self, path: Path, scale: int | None = None) -> None:
        """Writes the sheet as PNG, atomically."""
        with atomic_path(path) as temporary:
            self.image(scale).save(temporary)


def _wrap(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> list[str]:
    """Lines that fit, broken behind spaces and underscores; a part that is too wide by itself is left whole."""
    lines: list[str] = []
    for part in re.findall(r"[^ _]*[ _]?", text):
        if lines and font.getlength((lines[-1] + part).rstrip()) <= width:
            lines[-1] += part
        elif part:
            lines.append(part)
    return [line.rstrip() for line in lines]


def to_picture(tensor: object, value_range: tuple[float, float] = (-1.0, 1.0)) -> Picture:
    """(3, H, W) in `value_range` -> (H, W, 3) uint8; clipped, rounded to nearest."""
    low, high = value_range
    array = (np.asarray(tensor, np.float32).transpose(1, 2, 0) - low) * (255.0 / (high - low))
    picture: Picture = np.clip(np.rint(array), 0, 255).astype(np.uint8)
    return picture
