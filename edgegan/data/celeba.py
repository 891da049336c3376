"""CelebA as published: aligned faces, `list_attr_celeba.txt`, and `list_eval_partition.txt` where it is there.

The same lists as CSV files, as Kaggle has them, are read too.

Without the partition file the pictures are split as in the StarGAN paper's code: all rows shuffled with
Python's random seed 1234, the first 1,999 held out, the rest for training.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePath
from random import Random

import numpy as np
from numpy.typing import NDArray

from edgegan.runtime.errors import InputError

from ._files.pictures import PictureFiles, existing_folder, no_judge
from ._files.tables import UNKNOWN, read_table

ATTRIBUTES_FILE = "list_attr_celeba.txt"
PARTITION_FILE = "list_eval_partition.txt"
CSV_FILES = {ATTRIBUTES_FILE: "list_attr_celeba.csv", PARTITION_FILE: "list_eval_partition.csv"}
PICTURE_FOLDERS = ("img_align_celeba", "images")
HAIR = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair")  # at most one is on; bald heads have none
PARTITIONS = {"train": 0, "judge": 1, "heldout": 2}  # train, validation and test, as CelebA numbers them
PAPER_HELDOUT = 1999


@dataclass(frozen=True)
class Attributes:
    """The attribute file: `files` in its order, and `on`: (files, names) uint8, 1 where it says 1, else 0."""

    names: tuple[str, ...]
    files: tuple[str, ...]
    on: NDArray[np.uint8]


def open_data(
    place: str, *, size: int, names: tuple[str, ...], split: str, centre_crop: int | None = None
) -> PictureFiles:
    """The CelebA below the folder `place`; no `names` means all of the file's. Raises InputError."""
    folder = existing_folder(place, "celeba")
    path = find_attributes(folder)
    if path is None:
        raise InputError(
            f"{folder}: no {ATTRIBUTES_FILE} or .csv in it or in the folders right below",
            todo="give the folder that holds it, with the pictures in img_align_celeba/ beside it",
        )
    attributes = read_attributes(path)
    unknown = [n for n in names if n not in attributes.names]
    if unknown:
        raise InputError(
            f"{path} has no attribute {', '.join(map(repr, unknown))}", f"it has: {', '.join(attributes.names)}"
        )
    wanted = names or attributes.names
    pictures = _picture_folder(folder, path, attributes.files)
    rows = _rows(attributes, path, _lists(folder, path, PARTITION_FILE), split)
    hair = tuple(n for n in wanted if n in HAIR)
    return PictureFiles(
        [pictures / attributes.files[i] for i in rows],
        attributes.on[rows][:, [attributes.names.index(n) for n in wanted]],
        name=f"celeba:{place} ({split})",
        names=wanted,
        groups=(hair,) if len(hair) > 1 else (),
        size=size,
        centre_crop=centre_crop,
    )


def find_attributes(folder: Path) -> Path | None:
    """The attribute file in `folder` or in a folder right below it (the download has it in Anno/)."""
    return next(_lists(folder, folder / ATTRIBUTES_FILE, ATTRIBUTES_FILE), None)


def read_attributes(path: Path) -> Attributes:
    """Parses the attribute file: a count, a line of names, then a row of a file name and ±1s per picture.

    Of a CSV file: a line of names, then a row of a file name and 1, 0 or -1 for each. Raises InputError for a count
    that is not the number of rows, and for a bad row, named by its line number.
    """
    if path.suffix == ".csv":
        table = read_table(path)
        for name, values in zip(table.names, table.values.T, strict=True):
            if (values == UNKNOWN).any():
                raise InputError(f"{path}: {name} is not known of all pictures", "1 or -1 in every row")
        return Attributes(table.names, table.files, (table.values == 1).astype(np.uint8))
    lines = _lines(path)
    if len(lines) < 2 or not lines[0].strip().isdecimal():
        seen = repr(lines[0][:40]) if lines else "nothing"
        raise InputError(f"{path}, line 1: {seen}", "the number of pictures, then a line of attribute names")
    names = tuple(lines[1].split())
    if not names or len(set(names)) < len(names):
        raise InputError(f"{path}, line 2: {'a name stands twice' if names else 'empty'}", "the attribute names")
    on = np.empty((len(lines) - 2, len(names)), np.uint8)
    seen_at: dict[str, int] = {}
    for number, line in enumerate(lines[2:], start=3):
        file, *values = line.split() or [""]
        if len(values) != len(names):
            _bad_row(path, number, f"{len(values)} values after the file name, for {len(names)} names")
        wrong = set(values) - {"1", "-1"}
        if wrong:
            name = next(n for n, v in zip(names, values, strict=True) if v in wrong)
            _bad_row(path, number, f"{name} is {values[names.index(name)]!r}, not 1 or -1")
        if PurePath(file).name != file:
            _bad_row(path, number, f"{file!r} is not a plain file name")
        if file in seen_at:
            _bad_row(path, number, f"{file} stands on line {seen_at[file]} already")
        seen_at[file] = number
        on[number - 3] = [value == "1" for value in values]
    if int(lines[0]) != len(on):
        raise InputError(f"{path} has {len(on)} rows", f"{int(lines[0])}, as its first line says", "download it again")
    return Attributes(names, tuple(seen_at), on)


def paper_split(count: int) -> tuple[list[int], list[int]]:
    """(train, heldout) row numbers as the StarGAN paper's code draws them, in its order."""
    rows = list(range(count))
    Random(1234).shuffle(rows)
    return rows[PAPER_HELDOUT:], rows[:PAPER_HELDOUT]


def _rows(attributes: Attributes, path: Path, partition_files: Iterator[Path], split: str) -> list[int]:
    partition_file = next(partition_files, None)
    if partition_file:
        parts = _read_partition(partition_file)
        absent = next((f for f in attributes.files if f not in parts), None)
        if absent:
            raise InputError(f"{partition_file} has no row for {absent}", f"one for every picture of {path.name}")
        return [i for i, file in enumerate(attributes.files) if parts[file] == PARTITIONS[split]]
    todo = f"put CelebA's {PARTITION_FILE} beside {path}"
    if split == "judge":
        raise no_judge("the paper's split", todo)
    if len(attributes.files) <= PAPER_HELDOUT:
        raise InputError(
            f"{path} has {len(attributes.files)} rows; the paper's split holds out {PAPER_HELDOUT}", todo=todo
        )
    train, heldout = paper_split(len(attributes.files))
    return train if split == "train" else heldout


def _read_partition(path: Path) -> dict[str, int]:
    parts = {}
    csv = path.suffix == ".csv"
    for number, line in enumerate(_lines(path), start=1):
        fields = [field.strip() for field in line.split(",")] if csv else line.split()
        if csv and number == 1 and len(fields) == 2 and not fields[1].isdecimal():
            continue  # the names of the columns
        if len(fields) != 2 or fields[1] not in ("0", "1", "2"):
            _bad_row(path, number, f"{line.strip()[:60]!r} is not a file name and 0, 1 or 2")
        parts[fields[0]] = int(fields[1])
    return parts


def _picture_folder(folder: Path, attributes: Path, files: tuple[str, ...]) -> Path:
    """The folder that holds the first pictures; archives unpack to one folder or to two of the same name."""
    for name in PICTURE_FOLDERS:
        for found in _beside(folder, attributes, name):
            for place in (found, found / name):
                if any((place / file).is_file() for file in files[:100]):
                    return place
    raise InputError(
        f"{folder}: none of the pictures that {attributes.name} names ({files[0] if files else 'it names none'})",
        f"them in a folder called {' or '.join(PICTURE_FOLDERS)}, beside or below",
    )


def _beside(folder: Path, attributes: Path, name: str) -> Iterator[Path]:
    """What is called `name` in `folder`, beside the attribute file, or one folder down."""
    places = (folder / name, attributes.with_name(name))
    return (p for p in chain(places, sorted(folder.glob(f"*/{name}"))) if p.exists())


def _lists(folder: Path, attributes: Path, name: str) -> Iterator[Path]:
    """The list called `name`, as published or as CSV, wherever `_beside` looks."""
    return chain(_beside(folder, attributes, name), _beside(folder, attributes, CSV_FILES[name]))


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as text: {error}") from None
    while lines and not lines[-1].strip():
        del lines[-1]
    return lines


def _bad_row(path: Path, number: int, reason: str) -> None:
    raise InputError(f"{path}, line {number}: {reason}", todo="correct or remove the row (and the count on line 1)")
