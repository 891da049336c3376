"""Pictures in pairs: A and B side by side in one file, or files of one name in two folders.

Side by side, A left and B right, they lie in train/, and in test/ or val/ what is held out; or all in one folder.
In two folders, the layout is that of `unaligned`, and a partner has the same name but for its ending. Without
folders of their own, one pair in ten is held out, chosen by a hash of its name.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from edgegan.runtime.errors import InputError
from edgegan.runtime.pictures import decode, upright_size

from ._files.domains import HELDOUT, JUDGE, LAYOUT, TwoDomains, has_sides, sides
from ._files.pictures import (
    MAX_NAMED,
    PictureFiles,
    existing_folder,
    files_below,
    files_in,
    no_judge,
    select_split,
    whole_pictures,
)
from ._files.resize import stretch
from ._files.subsets import Subset
from ._sets import Picture

USUAL_SHAPE, SHAPE_TOLERANCE = 2.0, 0.15  # width over height of two squares side by side

log = logging.getLogger("edgegan.data")
_doubted: set[str] = set()  # folders that were spoken of: each split opens them again


class Half:
    """The left or the right half of every picture of a set."""

    def __init__(self, both: PictureFiles, right: bool, size: int) -> None:
        self.name = both.name
        self._both, self._right, self._size = both, right, size

    def __len__(self) -> int:
        return len(self._both)

    def picture(self, index: int) -> Picture:
        """Half of picture `index`; raises InputError if its file was removed or damaged after the set was opened."""
        image = decode(self._both.files[index])
        middle = image.width // 2
        box = (middle, 0, 2 * middle, image.height) if self._right else (0, 0, middle, image.height)
        return stretch(image.crop(box), size=self._size)

    def sources(self) -> Mapping[str, Sequence[Path]]:
        """The whole pictures."""
        return self._both.sources()


def open_pairs(place: str, *, size: int, split: str) -> TwoDomains:
    """The pairs below the folder `place`. Raises InputError for another layout and for pictures without a partner."""
    top = existing_folder(place, "paired")
    name = f"paired:{place} ({split})"
    if has_sides(top):
        return _by_name(*sides(top, split), split, name, size)
    return _side_by_side(top, split, name, size)


def recognises(top: Path) -> bool:
    """Whether a folder holds pictures, or a train/ folder with pictures, that may be pairs side by side."""
    return bool(files_in(top / "train" if (top / "train").is_dir() else top))


def _side_by_side(top: Path, split: str, name: str, size: int) -> TwoDomains:
    folder, by_hash = _folder(top, split)
    files = files_below(folder)
    if not files or not (by_hash or recognises(top)):
        raise InputError(f"{folder} holds no pictures", f"pairs side by side in train/, or {LAYOUT}")
    if by_hash:
        files = select_split(files, split, lambda f: f.relative_to(folder).as_posix())
    both = whole_pictures(files, name=name, size=size)
    _check_shapes(both.files, folder)
    return TwoDomains(name, Half(both, False, size), Half(both, True, size))


def _check_shapes(files: Sequence[Path], folder: Path) -> None:
    """Says how pairs are read where their shapes make one doubt that they are pairs.

    Any photograph has a left and a right half. Raises InputError for a picture that is taller than wide, or
    of which a half would be empty.
    """
    sizes = {file: upright_size(file) for file in files}
    tall = [file for file, (width, height) in sizes.items() if width < max(height, 2)]
    if tall:
        width, height = sizes[tall[0]]
        more = f" (and {len(tall) - 1} more)" if len(tall) > 1 else ""
        raise InputError(f"{tall[0]}: {width}x{height} pixels, too narrow{more}", "two pictures side by side")
    odd = [file for file, (width, height) in sizes.items() if abs(width / height / USUAL_SHAPE - 1) > SHAPE_TOLERANCE]
    if odd and str(folder) not in _doubted:
        _doubted.add(str(folder))
        width, height = sizes[odd[0]]
        log.warning(
            "%s: %dx%d pixels, read as pairs: left %dx%d, right %dx%d. %d of %d pictures are far from twice as wide as "
            "high: if they are single photographs, these are their halves, and pix2pix needs A/ and B/ or pairs",
            odd[0],
            *(width, height, width // 2, height, width // 2, height, len(odd), len(files)),
        )


def _folder(top: Path, split: str) -> tuple[Path, bool]:
    """The folder of a split, and whether the split must still be made by hash."""
    heldout = next((top / n for n in HELDOUT if (top / n).is_dir()), None)
    judge = next((top / n for n in JUDGE if (top / n).is_dir()), None)
    if split == "judge":
        if not judge or judge == heldout:
            raise no_judge(str(top), f"make a folder {top / 'val'} beside {top / 'test'}")
        return judge, False
    train = top / "train"
    if not train.is_dir():
        return top, True
    return heldout if heldout and split == "heldout" else train, heldout is None


def _by_name(a: Path, b: Path, by_hash: bool, split: str, name: str, size: int) -> TwoDomains:
    """Pairs of equal names; a pair of which one file cannot be read is left out whole."""
    of_a, of_b = _files_by_key(a), _files_by_key(b)
    alone = [*(of_a[k] for k in of_a.keys() - of_b.keys()), *(of_b[k] for k in of_b.keys() - of_a.keys())]
    if alone:
        named = ", ".join(str(f) for f in sorted(alone)[:MAX_NAMED])
        more = f" and {len(alone) - MAX_NAMED} more" if len(alone) > MAX_NAMED else ""
        raise InputError(f"no partner for {named}{more}", f"the same names in {a} and {b}", "or train it unpaired")
    keys = sorted(of_a)
    if by_hash:
        keep = set(select_split([of_a[k] for k in keys], split, lambda f: _key(f, a)))
        keys = [k for k in keys if of_a[k] in keep]
    of = [whole_pictures([d[k] for k in keys], name=f"{f} ({split})", size=size) for d, f in ((of_a, a), (of_b, b))]
    places = [{_key(file, f): i for i, file in enumerate(p.files)} for p, f in zip(of, (a, b), strict=True)]
    whole = [k for k in keys if k in places[0] and k in places[1]]
    return TwoDomains(name, *(Subset(p, [at[k] for k in whole]) for p, at in zip(of, places, strict=True)))


def _files_by_key(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for file in files_below(folder):
        twin = found.setdefault(_key(file, folder), file)
        if twin != file:
            raise InputError(f"{twin} and {file.name} have one name", "one picture per name", "remove one of them")
    if not found:
        raise InputError(f"{folder} holds no pictures")
    return found


def _key(file: Path, folder: Path) -> str:
    return file.relative_to(folder).with_suffix("").as_posix()
