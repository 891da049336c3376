"""The Radboud Faces Database: expressions read from file names, Rafd090_01_Caucasian_female_angry_frontal.jpg.

The folders below are searched too. PLACE is DIR for pictures from the front (camera angle 090), or DIR@045+090+135
for those angles. One person in ten is held out, chosen by a hash of the number, with all of their pictures.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgegan.runtime.errors import InputError

from ._files.pictures import PictureFiles, existing_folder, files_below, files_in, no_judge, select_split

EXPRESSIONS = ("angry", "contemptuous", "disgusted", "fearful", "happy", "neutral", "sad", "surprised")
FRONT = "090"
EXAMPLE = "Rafd090_01_Caucasian_female_angry_frontal.jpg"

_NAME = re.compile(rf"rafd(\d{{3}})_(\d+)_.+_({'|'.join(EXPRESSIONS)})_(?:frontal|left|right)\.\w+", re.IGNORECASE)
_ANGLES = re.compile(r"(.+)@(\d{3}(?:\+\d{3})*)")


@dataclass(frozen=True)
class Portrait:
    """What a file name says."""

    file: Path
    angle: str  # of the camera, in degrees: 090 is the front
    person: str
    expression: str  # one of EXPRESSIONS


def open_data(
    place: str, *, size: int, names: tuple[str, ...], split: str, centre_crop: int | None = None
) -> PictureFiles:
    """The portraits below the folder of `place`, one-hot; no `names` means all eight expressions.

    Raises InputError for an unknown expression, fewer than two, one without pictures, and where no file is named
    as RaFD names them.
    """
    unknown = [n for n in names if n not in EXPRESSIONS]
    wanted = names or EXPRESSIONS
    if unknown or len(wanted) < 2:
        seen = f"no expression {', '.join(map(repr, unknown))}" if unknown else f"only one: {wanted[0]}"
        raise InputError(f"--data rafd:{place}: {seen}", f"two or more of: {', '.join(EXPRESSIONS)}")
    if split == "judge":
        raise no_judge("rafd", "judge with another data set")
    given = _ANGLES.fullmatch(place) if not Path(place).is_dir() else None
    folder, angles = existing_folder(given[1] if given else place, "rafd"), given[2].split("+") if given else [FRONT]
    portraits = _portraits(folder, angles)
    absent = [n for n in wanted if not any(p.expression == n for p in portraits)]
    if absent:
        raise InputError(f"{folder}: no picture is {' or '.join(absent)} at camera angle {'+'.join(angles)}")
    person = {p.file: p.person for p in portraits}
    own = set(select_split([p.file for p in portraits], split, lambda file: f"person {person[file]}"))
    kept = [p for p in portraits if p.file in own and p.expression in wanted]
    return PictureFiles(
        [p.file for p in kept],
        np.eye(len(wanted), dtype=np.uint8)[[wanted.index(p.expression) for p in kept]],
        name=f"rafd:{place} ({split})",
        names=wanted,
        groups=(wanted,),
        size=size,
        centre_crop=centre_crop,
    )


def recognises(folder: Path) -> bool:
    """Whether a folder holds a file that is named as RaFD names them."""
    return any(map(_parse, files_in(folder)))


def _portraits(folder: Path, angles: list[str]) -> list[Portrait]:
    files = files_below(folder)
    named = [portrait for file in files if (portrait := _parse(file))]
    if not named:
        first = f", the first is {files[0].name}" if files else ""
        raise InputError(f"{folder}: {len(files)} files{first}", f"names such as {EXAMPLE}")
    found = [p for p in named if p.angle in angles]
    if not found:
        there = ", ".join(sorted({p.angle for p in named}))
        raise InputError(
            f"{folder}: none of {len(named)} portraits is from camera angle {'+'.join(angles)}",
            f"there are: {there}",
            f"as in: --data rafd:{folder}@{named[0].angle}",
        )
    return found


def _parse(file: Path) -> Portrait | None:
    match = _NAME.fullmatch(file.name)
    return Portrait(file, match[1], f"{int(match[2]):02d}", match[3].lower()) if match else None
