"""Aligned faces as `edgegan data faces` writes them: crops, labels, and masks of person and hair."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from edgegan.runtime.errors import InputError

from ._faces.alignment import Geometry
from ._faces.folder import GEOMETRY, IMAGES, LABELS, MASKS
from ._files.pictures import PictureFiles, existing_folder
from ._files.tables import UNKNOWN, Table, read_table
from ._sets import Picture
from .celeba import HAIR

log = logging.getLogger("edgegan.data")


class FacePictures(PictureFiles):
    """Labelled faces. `picture` gives the crop; `whole` and `mask` the stored picture with room around it.

    `table` holds all that the set's table says of these pictures, also attributes that were not asked for and notes.
    """

    geometry: Geometry
    table: Table

    @property
    def eyes(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The left and the right eye in a whole picture, (x, y) in pixels."""
        return self.geometry.eyes

    def picture(self, index: int) -> Picture:
        """The crop of picture `index`, at the size the set was opened with."""
        border = (self.geometry.edge - self.geometry.size) // 2
        crop = self.whole(index)[border : self.geometry.edge - border, border : self.geometry.edge - border]
        if self._size == len(crop):
            return np.ascontiguousarray(crop)
        how = cv2.INTER_AREA if self._size < len(crop) else cv2.INTER_LINEAR
        return cv2.resize(crop, (self._size, self._size), interpolation=how)  # type: ignore[return-value]

    def sources(self) -> Mapping[str, Sequence[Path]]:
        """The files, and their masks, which guides are made with."""
        return {"files": self.files, "masks": [_mask_of(file) for file in self.files]}

    def whole(self, index: int) -> Picture:
        """The stored picture (edge, edge, 3)."""
        return _read(self.files[index], cv2.IMREAD_COLOR_RGB)

    def mask(self, index: int) -> NDArray[np.uint8] | None:
        """(edge, edge) uint8: 0 background, 127 person, 255 hair; None where nothing could be cut out."""
        path = _mask_of(self.files[index])
        return _read(path, cv2.IMREAD_GRAYSCALE) if path.is_file() else None

    def crop_mask(self, index: int) -> NDArray[np.uint8] | None:
        """The mask of `picture`, at that size."""
        mask = self.mask(index)
        if mask is None:
            return None
        border = (self.geometry.edge - self.geometry.size) // 2
        inner = mask[border : self.geometry.edge - border, border : self.geometry.edge - border]
        return np.asarray(cv2.resize(inner, (self._size, self._size), interpolation=cv2.INTER_NEAREST))


def open_data(
    place: str, *, size: int, names: tuple[str, ...] = (), split: str, centre_crop: int | None = None
) -> FacePictures:
    """The set in the folder `place`; no `names` means all of the table's. Raises InputError.

    Pictures of which a wanted attribute is unknown are left out.
    """
    folder = existing_folder(place, "faces")
    if centre_crop is not None:
        raise InputError(f"centre_crop={centre_crop} for --data faces:{place}", todo="leave it out: faces.json says it")
    geometry = read_geometry(folder)
    table = read_table(folder / LABELS)
    unknown = [name for name in names if name not in table.names]
    if unknown:
        raise InputError(
            f"{folder / LABELS} has no attribute {', '.join(map(repr, unknown))}", f"it has: {', '.join(table.names)}"
        )
    wanted = names or table.names
    columns = [table.names.index(name) for name in wanted]
    values = table.values[:, columns]
    own = [i for i, s in enumerate(table.splits) if s == split]
    rows = [i for i in own if not (values[i] == UNKNOWN).any()]
    if len(rows) < len(own):
        log.warning("faces:%s: left out %d pictures whose labels are unknown", place, len(own) - len(rows))
    hair = tuple(name for name in wanted if name in HAIR)
    pictures = FacePictures(
        [folder / IMAGES / table.files[i] for i in rows],
        values[rows].astype(np.uint8),
        name=f"faces:{place} ({split})",
        names=wanted,
        groups=(hair,) if len(hair) > 1 else (),
        size=size,
    )
    if pictures.refused:
        raise InputError(
            f"faces:{place}: {len(pictures.refused)} pictures cannot be read, the first {pictures.refused[0].path}",
            todo="write the set again: edgegan data faces",
        )
    pictures.geometry = geometry
    pictures.table = table.take(rows)
    return pictures


def recognises(folder: Path) -> bool:
    """Whether `edgegan data faces` wrote this folder."""
    return (folder / GEOMETRY).is_file() and (folder / LABELS).is_file()


def names_set(spec: str) -> bool:
    """Whether a --data SPEC names a set of this kind that is there."""
    kind, _, place = spec.partition(":")
    return recognises(Path(place if kind == "faces" else spec))


def read_geometry(folder: Path) -> Geometry:
    """Where crops lie in the pictures of a written set; raises InputError if it is none."""
    path = folder / GEOMETRY
    try:
        return msgspec.json.decode(path.read_bytes(), type=Geometry)
    except (OSError, msgspec.MsgspecError) as error:
        raise InputError(
            f"{path}: {error}", "a folder that `edgegan data faces` wrote", f"write one: edgegan data faces {folder}"
        ) from None


def _mask_of(file: Path) -> Path:
    return file.parents[1] / MASKS / file.name


def _read(path: Path, how: int) -> NDArray[np.uint8]:
    data = np.frombuffer(path.read_bytes(), np.uint8)
    picture = cv2.imdecode(data, how)
    if picture is None:
        raise InputError(f"{path}: damaged since the set was opened")
    return picture  # type: ignore[return-value]
