"""Photographs of a face for tests: scikit-image's astronaut, and a drawn portrait whose every pixel is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from edgegan.data._faces.alignment import ALIGNMENTS, Geometry
from edgegan.data._faces.folder import write_faces

GEOMETRY = Geometry(size=64, alignment=ALIGNMENTS["portrait"])
HAIR, SKIN, WALL, SUIT = (40, 60, 90), (150, 180, 225), (160, 140, 110), (50, 40, 35)  # BGR


def astronaut() -> np.ndarray:
    """(512, 512, 3) uint8 BGR: one face, upright, near the top."""
    from skimage import data

    return np.ascontiguousarray(data.astronaut()[:, :, ::-1])


def draw_portrait(geometry: Geometry = GEOMETRY) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An aligned picture (BGR) of a drawn head before a wall, the person's mask and the hair's."""
    edge, unit = geometry.edge, geometry.eye_distance
    (lx, ly), (rx, _) = geometry.eyes
    y, x = (np.mgrid[:edge, :edge] + 0.5).astype(np.float32)
    x, y = (x - (lx + rx) / 2) / unit, (y - ly) / unit
    head = (x / 1.05) ** 2 + ((y - 0.2) / 1.55) ** 2 < 1
    hair = head & (y < -0.6)
    body = (y - 1.9 > 0.38 * (np.abs(x) - 0.5)) | ((np.abs(x) < 0.6) & (y > 1.0))
    picture = np.full((edge, edge, 3), WALL, np.float32)
    picture[body] = SUIT
    picture[head] = SKIN
    picture[hair] = HAIR
    picture += np.random.default_rng(0).normal(0, 4, picture.shape)
    return picture.clip(0, 255).astype(np.uint8), head | body, hair


def write_photographs(folder: Path) -> dict[str, np.ndarray]:
    """Photographs that are taken (a, b: the same person, lit differently) and that are refused for one reason each."""
    whole = astronaut()
    face = whole[0:300, 80:380]
    pictures = {
        "a.jpg": face,
        "b.png": cv2.convertScaleAbs(whole[0:420, 40:460], alpha=0.8, beta=20),
        "lying.png": np.ascontiguousarray(np.rot90(face)),
        "upside_down.png": face[::-1, ::-1].copy(),
        "small.png": cv2.resize(whole, (60, 60), interpolation=cv2.INTER_AREA),
        "blurred.png": cv2.GaussianBlur(face, (0, 0), 8),
        "two.png": np.hstack([face, face]),
        "empty.png": np.full((200, 200, 3), 127, np.uint8),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures.items():
        assert cv2.imwrite(str(folder / name), picture)
    (folder / "damaged.jpg").write_bytes((folder / "a.jpg").read_bytes()[:2000])
    return pictures


class Shot(NamedTuple):
    """A picture of the astronaut: how bright, of which split, and 0 or 1 for each name of its set."""

    brightness: float
    split: str
    label: Sequence[int]


def write_face_set(place: Path, names: Sequence[str], shots: Sequence[Shot]) -> str:
    """A set of one person's pictures, 64 px, as `edgegan data faces` writes it below `place`; -> its --data SPEC."""
    (place / "in").mkdir(parents=True)
    rows = [f"file,split,{','.join(names)}"]
    for number, shot in enumerate(shots):
        picture = cv2.convertScaleAbs(astronaut()[:300, 80:380], alpha=shot.brightness)
        assert cv2.imwrite(str(place / "in" / f"{number}.png"), picture)
        rows.append(f"{number}.png,{shot.split},{','.join(map(str, shot.label))}")
    (place / "labels.csv").write_text("\n".join(rows) + "\n")
    write_faces(place / "in", place / "out", labels=str(place / "labels.csv"), size=64, alignment=GEOMETRY.alignment)
    return f"faces:{place / 'out'}"
