"""Label tables: CSV files with a picture's name and its attributes in each row.

The first column is the file's name, whatever it is called (`file`; `image_id` in Kaggle's CelebA). A column called
`split` says "train", "judge" or "heldout"; columns in lower case after it are notes (`skin`), kept as text. Every other
column is an attribute: 1 is on, 0 or -1 is off, and an empty cell is unknown.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from edgegan.data._sets import SPLITS
from edgegan.runtime.errors import InputError

UNKNOWN = -1  # in `Table.values`
_VALUES = {"1": 1, "1.0": 1, "0": 0, "0.0": 0, "-1": 0, "-1.0": 0, "": UNKNOWN}


@dataclass(frozen=True)
class Table:
    """`values` is (files, names) int8: 1 on, 0 off, UNKNOWN. `splits` and `notes` hold one entry a file, or none."""

    names: tuple[str, ...]
    files: tuple[str, ...]
    values: NDArray[np.int8]
    splits: tuple[str, ...] = ()
    notes: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def take(self, rows: list[int], files: list[str] | None = None, splits: list[str] | None = None) -> Table:
        """The given rows, in their order; with other file names or splits where they are given."""
        return Table(
            self.names,
            tuple(files or (self.files[i] for i in rows)),
            self.values[rows],
            tuple(splits or ((self.splits[i] for i in rows) if self.splits else ())),
            {name: tuple(values[i] for i in rows) for name, values in self.notes.items()},
        )


def read_table(path: Path) -> Table:
    """Reads a table; raises InputError that names the line and column at fault."""
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a CSV file: {error}") from None
    if not rows or len(rows[0]) < 1:
        raise InputError(f"{path}: empty", "a first line that names the columns: file,Attribute,...")
    header = [name.strip() for name in rows[0]]
    twice = {name for name in header if header.count(name) > 1}
    if twice or not all(header):
        raise InputError(f"{path}, line 1: {'a name stands twice' if twice else 'a column has no name'}")
    notes = [i for i, name in enumerate(header) if i and name.islower() and name != "split"]
    split = header.index("split") if "split" in header else None
    attributes = [i for i in range(1, len(header)) if i not in notes and i != split]
    files: dict[str, int] = {}
    values = np.empty((len(rows) - 1, len(attributes)), np.int8)
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise InputError(f"{path}, line {number}: {len(row)} cells", f"{len(header)}, as the first line has")
        name = row[0].strip()
        if not name or PurePath(name).name != name:
            raise InputError(f"{path}, line {number}: {name!r} is not a plain file name")
        if name in files:
            raise InputError(f"{path}, line {number}: {name} stands on line {files[name]} already")
        files[name] = number
        for place, column in enumerate(attributes):
            cell = row[column].strip()
            if cell not in _VALUES:
                raise InputError(
                    f"{path}, line {number}: {header[column]} is {cell!r}", "1, 0 or -1, or nothing where it is unknown"
                )
            values[number - 2, place] = _VALUES[cell]
        if split is not None and row[split].strip() not in (*SPLITS, ""):
            raise InputError(f"{path}, line {number}: split is {row[split]!r}", f"{', '.join(SPLITS)}, or nothing")
    return Table(
        tuple(header[i] for i in attributes),
        tuple(files),
        values,
        () if split is None else tuple(row[split].strip() for row in rows[1:]),
        {header[i]: tuple(row[i].strip() for row in rows[1:]) for i in notes},
    )


def write_table(path: Path, table: Table) -> None:
    """Writes what `read_table` reads."""
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        split = ["split"] if table.splits else []
        writer.writerow(["file", *split, *table.names, *table.notes])
        for i, name in enumerate(table.files):
            own = [table.splits[i]] if table.splits else []
            cells = ["" if v == UNKNOWN else str(v) for v in table.values[i].tolist()]
            writer.writerow([name, *own, *cells, *(values[i] for values in table.notes.values())])
