"""Writes a folder of photographs as a training set of aligned faces."""

from __future__ import annotations

import csv
import zlib
from collections import Counter
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from edgegan.data._files.pictures import existing_folder, files_below
from edgegan.data._files.tables import UNKNOWN, Table, read_table, write_table
from edgegan.data._files.work import in_threads
from edgegan.runtime.edit.align import warp
from edgegan.runtime.errors import InputError
from edgegan.runtime.faces.finder import FaceFinder
from edgegan.runtime.files import atomic_folder
from edgegan.runtime.model.card import Alignment
from edgegan.runtime.pictures import UnreadableError, decode

from .alignment import Geometry
from .duplicates import describe_face, group_duplicates
from .masks import cut_out
from .selection import refuse_blur, refuse_faces
from .sheet import write_sheet

GEOMETRY, LABELS, REFUSED, SHEET = "faces.json", "labels.csv", "refused.csv", "sheet.png"
IMAGES, MASKS = "images", "masks"
OWN_TABLES = ("portraits",)  # label tables that ship with edgegan


@dataclass(frozen=True)
class Cut:
    """An aligned picture (BGR), its mask, and what it is recognised by; or why the photograph was refused."""

    file: Path
    refused: str = ""
    picture: NDArray[np.uint8] | None = None
    mask: NDArray[np.uint8] | None = None
    descriptor: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Written:
    """How many pictures each split got, how many photographs were refused and why, and what else to know."""

    splits: dict[str, int]
    refused: dict[str, int]  # by reason without its figures
    unlabelled: int  # photographs that the labels do not name; they were not looked at
    missing: int  # rows of the labels whose photograph is not there
    masks: int
    hair: int
    duplicates: int


def find_table(labels: str) -> Table:
    """The labels of `--labels`: the name of a table that ships with edgegan, or a CSV file. Raises InputError."""
    if labels in OWN_TABLES:
        return read_table(Path(str(files("edgegan.data").joinpath("tables", f"{labels}.csv"))))
    if not Path(labels).is_file():
        raise InputError(f"--labels {labels}: no such file", f"a CSV file, or one of: {', '.join(OWN_TABLES)}")
    return read_table(Path(labels))


def write_faces(photographs: Path, out: Path, *, labels: str, size: int, alignment: Alignment) -> Written:
    """Finds, aligns and cuts out the faces below `photographs`, and writes them with their labels to `out`.

    `out` holds images/ (PNG, square, with room around the crop), masks/ (background, person and hair), labels.csv,
    faces.json (where crops lie), refused.csv, and sheet.png to look at. It is whole or absent.

    Args:
        labels: see `find_table`; empty for photographs without labels. Of a table, only the pictures it names are
            taken, by file name.
        size: edge length of a training crop, in pixels.
        alignment: where the eyes lie in a crop.

    Raises:
        InputError: no photographs, none with a usable face, or labels that name none of them.
    """
    found = {file.name: file for file in files_below(existing_folder(str(photographs), "faces"))}
    if not found:
        raise InputError(f"{photographs}: there are no files in it")
    table = find_table(labels) if labels else _table_of(sorted(found))
    rows = [i for i, name in enumerate(table.files) if name in found]
    if not rows:
        raise InputError(
            f"{photographs}: none of the {len(table.files)} pictures that --labels {labels} names",
            f"files called, for example, {', '.join(table.files[:3])}",
        )
    geometry = Geometry(size=size, alignment=alignment)
    bald = table.names.index("Bald") if "Bald" in table.names else None
    jobs = [(found[table.files[i]], bald is not None and table.values[i, bald] == 1) for i in rows]
    cuts = list(in_threads(partial(_cut, FaceFinder(), geometry), jobs, what=f"Finding faces in {len(jobs)} pictures"))
    kept = [place for place, cut in enumerate(cuts) if not cut.refused]
    if not kept:
        raise InputError(
            f"{photographs}: none of {len(cuts)} photographs shows a usable face",
            todo="; ".join(f"{reason}: {count}" for reason, count in _count_reasons(cuts).items()),
        )
    groups = group_duplicates([d for place in kept if (d := cuts[place].descriptor) is not None])
    names = _name_files([cuts[place].file for place in kept])
    given = [table.splits[rows[place]] if table.splits else "" for place in kept]
    splits = _split(given, groups, [table.files[rows[place]] for place in kept])
    with atomic_folder(out) as folder:
        (folder / IMAGES).mkdir()
        (folder / MASKS).mkdir()
        for place, name in zip(kept, names, strict=True):
            _write(folder / IMAGES / name, cuts[place].picture)
            if cuts[place].mask is not None:
                _write(folder / MASKS / name, cuts[place].mask)
        written = table.take([rows[place] for place in kept], names, splits)
        write_table(folder / LABELS, written)
        (folder / GEOMETRY).write_bytes(msgspec.json.format(msgspec.json.encode(geometry), indent=1) + b"\n")
        with open(folder / REFUSED, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            rows_out = csv.writer(file, lineterminator="\n")
            rows_out.writerow(["file", "reason"])
            rows_out.writerows([cut.file.name, cut.refused] for cut in cuts if cut.refused)
        write_sheet(folder / SHEET, [cuts[place] for place in kept], written)
    masks = [m for place in kept if (m := cuts[place].mask) is not None]
    return Written(
        splits=dict(Counter(splits)),
        refused=_count_reasons(cuts),
        unlabelled=len(found) - len(rows) if labels else 0,
        missing=len(table.files) - len(rows),
        masks=len(masks),
        hair=sum(bool((mask == 255).any()) for mask in masks),
        duplicates=sum(group != place for place, group in enumerate(groups)),
    )


def _cut(finder: FaceFinder, geometry: Geometry, job: tuple[Path, bool]) -> Cut:
    file, bald = job
    try:
        picture = np.ascontiguousarray(np.asarray(decode(file))[:, :, ::-1])
    except UnreadableError as error:
        return Cut(file, error.reason)
    faces = finder.find(picture)
    refused = refuse_faces(faces, geometry)
    if refused:
        return Cut(file, refused)
    face = max(faces, key=lambda f: f.box[2])
    aligned = warp(picture, geometry.matrix(face), (geometry.edge, geometry.edge))
    refused = refuse_blur(aligned, geometry)
    if refused:
        return Cut(file, refused)
    return Cut(file, "", aligned, cut_out(aligned, geometry, bald=bald), describe_face(aligned, geometry))


def _split(given: list[str], groups: list[int], keys: list[str]) -> list[str]:
    """Each picture's split: what the labels say, else by a hash of its name; duplicates go where their first one is."""
    own = [split or _split_by_hash(key) for split, key in zip(given, keys, strict=True)]
    return [split if split else own[group] for split, group in zip(given, groups, strict=True)]


def _split_by_hash(key: str) -> str:
    """8 of 10 train, 1 is held out, 1 is the judge's; no picture changes sides when others come or go."""
    return {0: "heldout", 1: "judge"}.get(zlib.crc32(key.encode("utf-8", "surrogateescape")) % 10, "train")


def _table_of(names: list[str]) -> Table:
    return Table((), tuple(names), np.empty((len(names), 0), np.int8))


def _name_files(sources: list[Path]) -> list[str]:
    """PNG names, unique though a.jpg and a.png may both be there."""
    stems = Counter(file.stem for file in sources)
    return [f"{file.stem if stems[file.stem] == 1 else file.name.replace('.', '_')}.png" for file in sources]


def _count_reasons(cuts: list[Cut]) -> dict[str, int]:
    return dict(Counter(cut.refused.split(":")[0].split(",")[0] for cut in cuts if cut.refused).most_common())


def _write(path: Path, picture: NDArray[np.uint8] | None) -> None:
    assert picture is not None
    done, data = cv2.imencode(".png", picture)
    assert done
    path.write_bytes(data.tobytes())


__all__ = ["GEOMETRY", "IMAGES", "LABELS", "MASKS", "UNKNOWN", "Written", "find_table", "write_faces"]
