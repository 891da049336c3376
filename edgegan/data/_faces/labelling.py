"""Labelling a set of faces by hand: what is known of each picture, kept on disk after every answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock

import msgspec
import numpy as np

from edgegan.data._files.tables import UNKNOWN, Table, read_table, write_table
from edgegan.data.celeba import HAIR
from edgegan.data.faces import read_geometry
from edgegan.runtime.errors import InputError
from edgegan.runtime.files import atomic_path

from .folder import IMAGES, LABELS


class Overview(msgspec.Struct, frozen=True):
    """What a page needs to begin: names, the group of which one is on, and every picture's answers."""

    names: tuple[str, ...]
    group: tuple[str, ...]
    files: tuple[str, ...]
    splits: tuple[str, ...]
    values: list[list[int | None]]  # a picture's answers: 1, 0, or None where nobody has said


class Labelling:
    """The labels of one written set. Thread-safe; `answer` is on disk when it returns.

    Args:
        folder: a set that `edgegan data faces` wrote.
        attributes: to label; those that the set does not have become columns of their own. Empty: those it has.

    Raises:
        InputError: no such set, nothing to label, or a name that cannot be a column.
    """

    def __init__(self, folder: Path, attributes: Sequence[str]) -> None:
        read_geometry(folder)
        self._path, self._images, self._lock = folder / LABELS, folder / IMAGES, Lock()
        table = read_table(self._path)
        new = [name for name in dict.fromkeys(attributes) if name not in table.names]
        bad = [name for name in new if not name or name.islower() or "," in name or name != name.strip()]
        if bad:
            raise InputError(
                f"--attributes {','.join(bad)}: not a name for a column", "a word with a capital letter: Eyeglasses"
            )
        unknown = np.full((len(table.files), len(new)), UNKNOWN, np.int8)
        self._table = Table(
            (*table.names, *new), table.files, np.concatenate([table.values, unknown], 1), table.splits, table.notes
        )
        self.names = tuple(attributes) or table.names
        if not self.names:
            raise InputError(
                f"{folder} has no attributes yet", todo="name those to label: --attributes Eyeglasses,Smiling"
            )

    @property
    def group(self) -> tuple[str, ...]:
        """The hair colours among the names: one at most is on."""
        return tuple(name for name in self.names if name in HAIR)

    def overview(self) -> Overview:
        """All that is known now."""
        columns = [self._table.names.index(name) for name in self.names]
        with self._lock:
            values = [[None if v == UNKNOWN else v for v in row] for row in self._table.values[:, columns].tolist()]
        return Overview(self.names, self.group, self._table.files, self._table.splits, values)

    def answer(self, index: int, answers: Mapping[str, int | None]) -> list[int | None]:
        """Sets answers of picture `index` (1, 0, or None for unknown), saves, and returns all of the picture's.

        A hair colour that is set turns the others off. Raises InputError for a picture or a name that is not there.
        """
        wrong = [name for name in answers if name not in self.names]
        if wrong or not 0 <= index < len(self._table.files):
            raise InputError(f"picture {index}, {', '.join(wrong) or 'no such number'}", f"of {', '.join(self.names)}")
        with self._lock:
            row = self._table.values[index]
            for name, value in answers.items():
                if name in self.group and value == 1:
                    for other in self.group:
                        row[self._table.names.index(other)] = 0
                row[self._table.names.index(name)] = UNKNOWN if value is None else int(value == 1)
            with atomic_path(self._path) as temporary:
                write_table(Path(temporary), self._table)
            columns = [self._table.names.index(name) for name in self.names]
            return [None if v == UNKNOWN else v for v in row[columns].tolist()]

    def picture(self, index: int) -> bytes:
        """The picture's PNG file; raises InputError for one that is not there."""
        if not 0 <= index < len(self._table.files):
            raise InputError(f"picture {index}: there are {len(self._table.files)}")
        return (self._images / self._table.files[index]).read_bytes()
