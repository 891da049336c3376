"""A contact sheet of a written set: what was taken, how it was cut out, and how it is labelled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from edgegan.data._files.tables import Table

from .masks import BACKGROUND, HAIR

if TYPE_CHECKING:
    from .folder import Cut

MOST = 96
_COLUMNS = 12
_EDGE, _LINE = 144, 14  # pixels of a picture, and of a line of text below it
_LINES = 3
_BACKGROUND_TINT, _HAIR_TINT = (0, 200, 0), (255, 0, 255)  # BGR


def write_sheet(path: Path, cuts: Sequence[Cut], labels: Table) -> None:
    """Writes up to MOST pictures, evenly chosen: background green, hair tinted, attributes that are on below."""
    chosen = np.unique(np.linspace(0, len(cuts) - 1, min(MOST, len(cuts))).astype(int)).tolist()
    tiles = []
    for i in chosen:
        on = [n for n, v in zip(labels.names, labels.values[i].tolist(), strict=True) if v == 1]
        tiles.append(_tile(cuts[i].picture, cuts[i].mask, [f"{labels.splits[i]} {labels.files[i]}", *_wrap(on)]))
    columns = min(_COLUMNS, len(tiles))
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    done, data = cv2.imencode(".png", np.vstack(rows))
    assert done
    path.write_bytes(data.tobytes())


def _tile(picture: NDArray[np.uint8] | None, mask: NDArray[np.uint8] | None, lines: Sequence[str]) -> NDArray[np.uint8]:
    assert picture is not None
    shown = picture.copy()
    if mask is not None:
        shown[mask == BACKGROUND] = _BACKGROUND_TINT
        hair = mask == HAIR
        shown[hair] = (0.55 * shown[hair] + 0.45 * np.array(_HAIR_TINT)).astype(np.uint8)
    tile = np.full((_EDGE + _LINES * _LINE, _EDGE, 3), 255, np.uint8)
    tile[:_EDGE] = cv2.resize(shown, (_EDGE, _EDGE), interpolation=cv2.INTER_AREA)
    for number, line in enumerate(lines[:_LINES]):
        place = (3, _EDGE + (number + 1) * _LINE - 4)
        cv2.putText(tile, line[:26], place, cv2.FONT_HERSHEY_SIMPLEX, 0.32, (0, 0, 0), 1, cv2.LINE_AA)
    return tile


def _wrap(words: Sequence[str]) -> list[str]:
    """Words in lines of about 26 characters."""
    lines = [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + len(word) > 24:
            lines.append("")
        lines[-1] += f"{word} "
    return lines
