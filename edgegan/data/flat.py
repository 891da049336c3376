"""A flat folder of pictures without labels, split like a folder per domain (see `folders`)."""

from __future__ import annotations

import numpy as np

from edgegan.runtime.errors import InputError

from ._files.pictures import PictureFiles, existing_folder, files_in, select_split
from .folders import split_folder


def open_data(
    place: str, *, size: int, names: tuple[str, ...] = (), split: str, centre_crop: int | None = None
) -> PictureFiles:
    """The pictures right in the folder `place`, by name; labels are empty, (0,). Raises InputError."""
    if names:
        raise InputError(
            f"--data flat:{place}: a flat folder has no labels, but {', '.join(names)} are wanted",
            "a CelebA folder or a folder per domain",
        )
    folder, by_hash = split_folder(existing_folder(place, "flat"), split)
    files = files_in(folder)
    if by_hash:
        files = select_split(files, split, lambda f: f.name)
    return PictureFiles(
        files,
        np.empty((len(files), 0), np.uint8),
        name=f"flat:{place} ({split})",
        names=(),
        groups=(),
        size=size,
        centre_crop=centre_crop,
    )
