"""Two folders of pictures that need no partners: trainA/ and trainB/, testA/ and testB/, searched with what is below.

Without test folders, or with only A/ and B/, one picture in ten is held out, chosen by a hash of its name.
"""

from __future__ import annotations

from pathlib import Path

from edgegan.runtime.errors import InputError

from ._files.domains import TwoDomains, sides
from ._files.pictures import PictureFiles, existing_folder, files_below, select_split, whole_pictures


def open_domains(place: str, *, size: int, split: str) -> TwoDomains:
    """The two domains below the folder `place`. Raises InputError for another layout and for an empty domain."""
    a, b, by_hash = sides(existing_folder(place, "unaligned"), split)
    return TwoDomains(f"unaligned:{place} ({split})", *(_side(d, split, by_hash, size) for d in (a, b)))


def _side(folder: Path, split: str, by_hash: bool, size: int) -> PictureFiles:
    files = files_below(folder)
    if not files:
        raise InputError(f"{folder} holds no pictures")
    if by_hash:
        files = select_split(files, split, lambda f: f.relative_to(folder.parent).as_posix())
    return whole_pictures(files, name=f"{folder} ({split})", size=size)
