"""The files that a command is to write, looked at before it begins its work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType


def check_outputs(
    reads: Mapping[str, str],
    *files: Path | None,
    pictures: Mapping[str, Path | None] = MappingProxyType({}),
    folders: Iterable[str] = (),
) -> None:
    """Raises InputError for a file that the command reads or writes otherwise, SinkError for one that cannot be made.

    Args:
        reads: what it reads, as SPECs, and what each is to it.
        files: what it writes, where it was asked for.
        pictures: the same of PNG pictures, under the names of their options.
        folders: what it reads pictures and tables from.
    """
    from edgegan.runtime.errors import InputError
    from edgegan.runtime.live.sink import check_writable
    from edgegan.runtime.places import refuse_clashes

    asked = [path for path in (*files, *pictures.values()) if path is not None]
    refuse_clashes(reads, map(str, asked), folders=folders)
    for option, path in pictures.items():
        if path is not None and path.suffix.lower() != ".png":
            raise InputError(f"{option} {path}: not a PNG", "a file name that ends in .png")
    for path in asked:
        check_writable(path)
