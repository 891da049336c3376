"""A folder per domain: each picture's label is the folder it lies in.

Pictures are split by subfolders `train/` and `test/` (and `val/` for a judge) where they exist, else one in ten
is held out, chosen by a hash of its name.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgegan.runtime.errors import InputError

from ._files.pictures import PictureFiles, existing_folder, files_in, folders_in, no_judge, select_split

SPLIT_FOLDERS = {"train": ("train",), "heldout": ("test", "heldout"), "judge": ("val", "judge")}
HINT = "is the folder one level too high or too low? DIR must hold one folder of pictures per domain"


def open_data(
    place: str, *, size: int, names: tuple[str, ...], split: str, centre_crop: int | None = None
) -> PictureFiles:
    """The domains below the folder `place`, one-hot; no `names` means all of them, in alphabetical order.

    Raises InputError for fewer than two domains, a domain without pictures, or an unknown name.
    """
    top = existing_folder(place, "folders")
    folder, by_hash = split_folder(top, split)
    trained = split_folder(top, "train")[0]  # the domains are those of training, whatever else is held out
    domains = tuple(d.name for d in folders_in(trained))
    if len(domains) < 2:
        raise InputError(f"{trained} holds {len(domains)} folder{'s' * (len(domains) != 1)}", "at least two", HINT)
    unknown = [n for n in (*names, *(d.name for d in folders_in(folder))) if n not in domains]
    if unknown:
        raise InputError(f"{trained} has no folder {', '.join(map(repr, unknown))}", f"it has: {', '.join(domains)}")
    wanted = names or domains
    if len(wanted) < 2:
        raise InputError(f"--data folders:{place}: only one domain is wanted: {', '.join(wanted)}", "at least two")
    files: list[Path] = []
    labels: list[int] = []
    for position, name in enumerate(wanted):
        inside = files_in(folder / name) if (folder / name).is_dir() else []
        if not inside and split == "train":
            raise InputError(f"{folder / name} holds no pictures", todo=HINT if folders_in(folder / name) else "")
        if by_hash:
            inside = select_split(inside, split, lambda f: f"{f.parent.name}/{f.name}")
        files += inside
        labels += [position] * len(inside)
    return PictureFiles(
        files,
        np.eye(len(wanted), dtype=np.uint8)[labels],
        name=f"folders:{place} ({split})",
        names=wanted,
        groups=(wanted,),
        size=size,
        centre_crop=centre_crop,
    )


def split_folder(top: Path, split: str) -> tuple[Path, bool]:
    """The folder of a split, and whether the split must still be made by hash."""
    found = {s: top / n for s, options in SPLIT_FOLDERS.items() for n in reversed(options) if (top / n).is_dir()}
    if "train" in found and "heldout" in found:
        if split not in found:
            raise no_judge(str(top), f"make a folder {top / SPLIT_FOLDERS[split][0]}")
        return found[split], False
    if split == "judge":
        raise no_judge(str(top), "sort the pictures into train/, test/ and val/")
    return top, True


def has_domains(folder: Path) -> bool:
    """Whether a folder, or its train/ folder, holds folders rather than pictures."""
    return bool(folders_in(split_folder(folder, "train")[0]))
