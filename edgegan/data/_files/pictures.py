"""Picture files on disk as a set of pictures, every one of them readable.

Every file is decoded once, in full, before a set opens: only that finds all damage, and a set that shrank or
swapped pictures while training ran could not be resumed exactly. It costs less than one epoch of training
(a minute or two for CelebA on two processors) and is remembered: as long as no file changes, the next
opening only looks at names, sizes and dates.
"""

from __future__ import annotations

import copy
import hashlib
import logging
import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np
import PIL
from numpy.typing import NDArray

from edgegan.data._sets import Picture
from edgegan.runtime import pictures
from edgegan.runtime.errors import InputError
from edgegan.runtime.files import cache_folder, write_atomic
from edgegan.runtime.pictures import UnreadableError, decode, is_litter

from .resize import read, stretch
from .work import in_threads

MAX_BAD_SHARE = 0.02  # more unreadable files than this (and more than one) stop the loader
MAX_NAMED = 5  # how many files an error names; the log names all
REMEMBER_FROM = 1000  # fewer files are checked again each time, in about a second

log = logging.getLogger("edgegan.data")


class Refused(msgspec.Struct, frozen=True):
    """A file that was left out, and why."""

    path: str
    reason: str


class PictureFiles:
    """Labelled pictures from files. `refused` are the files that were left out, each of them also logged.

    Args:
        files: the files, in order.
        labels: (len(files), len(names)), 0 or 1.
        name: what the set is called in messages.
        max_bad_share: the share of unreadable files from which on the set is refused as a whole.

    Raises:
        InputError: no files, or too many that cannot be read.
    """

    def __init__(
        self,
        files: Sequence[Path],
        labels: NDArray[np.uint8],
        *,
        name: str,
        names: tuple[str, ...],
        groups: tuple[tuple[str, ...], ...],
        size: int,
        centre_crop: int | None = None,
        max_bad_share: float = MAX_BAD_SHARE,
    ) -> None:
        self.name, self.names, self.groups = name, names, groups
        self._size, self._centre_crop, self._stretched = size, centre_crop, False
        self.refused = _check_all(files, name)
        for bad in self.refused:
            log.warning("left out %s: %s", _printable(bad.path), bad.reason)
        if len(self.refused) > max(1, max_bad_share * len(files)) or len(self.refused) == len(files):
            _stop(self.refused, len(files), name, max_bad_share)
        out = {bad.path for bad in self.refused}
        kept = [i for i, file in enumerate(files) if str(file) not in out]
        self.files = tuple(files[i] for i in kept)
        self._labels = labels[kept].astype(np.float32)

    def __len__(self) -> int:
        return len(self.files)

    def picture(self, index: int) -> Picture:
        """Picture `index`; raises InputError if its file was removed or damaged after the set was opened."""
        if self._stretched:
            return stretch(decode(self.files[index]), size=self._size)
        return read(self.files[index], size=self._size, centre_crop=self._centre_crop)

    def stretch(self) -> PictureFiles:
        """The same set, every picture shown whole, whatever its shape, instead of a square from its middle."""
        other = copy.copy(self)
        other._stretched = True
        return other

    def sources(self) -> Mapping[str, Sequence[Path]]:
        """The files."""
        return {"files": self.files}

    @property
    def labels(self) -> NDArray[np.float32]:
        """(pictures, names), 0 or 1."""
        return self._labels

    def label(self, index: int) -> NDArray[np.float32]:
        """The label of picture `index`: 0 or 1 for each of `names`."""
        label: NDArray[np.float32] = self._labels[index]
        return label


def whole_pictures(files: Sequence[Path], *, name: str, size: int) -> PictureFiles:
    """Pictures without labels, each resized to a square whatever its shape. Raises InputError as PictureFiles does."""
    none = np.empty((len(files), 0), np.uint8)
    return PictureFiles(files, none, name=name, names=(), groups=(), size=size).stretch()


def files_in(folder: Path) -> list[Path]:
    """The files right in `folder`, by name; without hidden files and what file managers leave behind."""
    return sorted(f for f in folder.iterdir() if f.is_file() and not is_litter(f))


def files_below(folder: Path) -> list[Path]:
    """The files in `folder` and in the folders below it, as `files_in`, without hidden folders."""
    return sorted([*files_in(folder), *(f for d in folders_in(folder) for f in files_below(d))])


def folders_in(folder: Path) -> list[Path]:
    """The folders right in `folder`, by name; without hidden ones and what archives and drives leave behind."""
    return sorted(d for d in folder.iterdir() if d.is_dir() and not is_litter(d))


def existing_folder(place: str, kind: str) -> Path:
    """The folder of `--data KIND:PLACE`; raises InputError if there is none."""
    if not place:
        raise InputError(f"--data {kind}: which folder?", todo=f"as in: --data {kind}:DIR")
    if not Path(place).is_dir():
        raise InputError(f"--data {kind}:{place}: no such folder")
    return Path(place)


def in_split(key: str, split: str) -> bool:
    """Whether the file known by `key` belongs to "train" (9 of 10) or "heldout" (1 of 10).

    It depends on the key alone, so that no picture changes sides when others come or go.
    """
    return (zlib.crc32(os.fsencode(key)) % 10 == 0) == (split == "heldout")


def select_split(files: list[Path], split: str, key: Callable[[Path], str]) -> list[Path]:
    """Those of `files` that belong to a split made by hash of `key`.

    Where there are so few that a side would have none, both have all: even one picture trains.
    """
    own = [f for f in files if in_split(key(f), split)]
    if files and not own:
        log.warning("%s: %d pictures, too few to hold some out: some are in both", files[0].parent, len(files))
    return own or files


def no_judge(what: str, todo: str) -> InputError:
    """The error for a data set that has only two splits."""
    return InputError(f"{what} has no third split to train a judge on", todo=todo)


def _check_all(files: Sequence[Path], name: str) -> tuple[Refused, ...]:
    remembered = cache_folder() / f"checked-{_fingerprint(files)}.json" if len(files) >= REMEMBER_FROM else None
    if remembered and remembered.is_file():
        try:
            known = msgspec.json.decode(remembered.read_bytes(), type=list[tuple[int, str]])
            return tuple(Refused(str(files[place]), reason) for place, reason in known)
        except (OSError, IndexError, msgspec.MsgspecError):
            pass  # it is only a memory: look again
    found = tuple(bad for bad in in_threads(_check, files, what=f"Checking {name}") if bad)
    if remembered:
        # By number, not by name: a name may hold bytes that are no UTF-8, and JSON has no others.
        places = {str(file): i for i, file in enumerate(files)}
        known = [(places[bad.path], _printable(bad.reason)) for bad in found]
        with suppress(InputError):  # a full disk or a read-only home costs only the memory
            write_atomic(remembered, msgspec.json.encode(known))
    return found


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _check(path: Path) -> Refused | None:
    try:
        decode(path)
    except UnreadableError as error:
        return Refused(str(path), error.reason)
    return None


def _fingerprint(files: Sequence[Path]) -> str:
    """Changes when a file comes, goes or changes, or when other code reads them."""
    digest = hashlib.sha256(f"{PIL.__version__}\n".encode() + Path(pictures.__file__).read_bytes())
    for file in files:
        try:
            stat = file.stat()
            digest.update(os.fsencode(f"{file.absolute()}\0{stat.st_size}\0{stat.st_mtime_ns}\n"))
        except OSError:
            digest.update(os.fsencode(f"{file.absolute()}\0missing\n"))
    return digest.hexdigest()[:32]


def _stop(refused: tuple[Refused, ...], total: int, name: str, share: float) -> None:
    if not total:
        raise InputError(f"{name}: there are no pictures")
    named = "; ".join(f"{_printable(bad.path)}: {bad.reason}" for bad in refused[:MAX_NAMED])
    more = f"; and {len(refused) - MAX_NAMED} more" if len(refused) > MAX_NAMED else ""
    raise InputError(
        f"{name}: {len(refused)} of {total} files cannot be read: {named}{more}",
        f"at most {share:.0%} may be unreadable",
        "remove or replace them, and see that the copy or download finished",
    )
