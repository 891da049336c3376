"""Draws docs/pictures/front.png: two people of the synthetic camera, and what the model that ships makes of each.

python docs/scripts/front.py [OUT.png]
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edgegan.runtime import Editor, open_source

OUT = Path(__file__).resolve().parents[1] / "pictures" / "front.png"
PEOPLE = (2, 3)  # seeds of the synthetic camera
EDITS = ("Blond_Hair", "Gray_Hair", "Eyeglasses", "Smiling", "Wearing_Hat")
FRAME, EDGE = 384, 200  # pixels along a frame of the camera, and along what is shown of it
CAPTION, GAP = 26, 4  # pixels of the words above, and between pictures


def draw() -> NDArray[np.uint8]:
    """The strip as (H, W, 3) uint8 BGR: a row for each person, a column for the input and for each edit."""
    with Editor.open() as editor:
        rows = [_row(editor, f"synthetic:{FRAME}x{FRAME}#{seed}") for seed in PEOPLE]
    words = np.hstack([_caption(name) for name in ("input", *EDITS)])
    return np.vstack([words, *rows])[:, :-GAP]


def _row(editor: Editor, source: str) -> NDArray[np.uint8]:
    with open_source(source) as camera:
        frame = next(iter(camera)).image_bgr
    pictures = [frame, *(editor.edit(frame, {name: 1.0}) for name in EDITS)]
    shown = [cv2.resize(picture, (EDGE, EDGE), interpolation=cv2.INTER_AREA) for picture in pictures]
    return np.hstack([cv2.copyMakeBorder(p, 0, GAP, 0, GAP, cv2.BORDER_CONSTANT, value=(255,) * 3) for p in shown])


def _caption(words: str) -> NDArray[np.uint8]:
    strip = np.full((CAPTION, EDGE + GAP, 3), 255, np.uint8)
    cv2.putText(strip, words, (2, CAPTION - 9), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (60, 60, 60), 1, cv2.LINE_AA)
    return strip


if __name__ == "__main__":
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    if not cv2.imwrite(str(out), draw()):
        sys.exit(f"cannot write {out}")
