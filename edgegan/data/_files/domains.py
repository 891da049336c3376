"""Two domains, and where on disk the folders of each lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgegan.data._sets import Domains, Picture, Pictures
from edgegan.runtime.errors import InputError
from edgegan.runtime.pictures import is_litter

from .pictures import no_judge

LAYOUT = "trainA/ and trainB/, with testA/ and testB/ for what is held out, or only A/ and B/"
HELDOUT, JUDGE = ("test", "heldout", "val"), ("val", "judge")  # folder names, the preferred first


@dataclass(frozen=True)
class TwoDomains:
    """Two sets of pictures of one size."""

    name: str
    a: Pictures
    b: Pictures


class Joined:
    """The pictures of both domains as one set, A's first."""

    def __init__(self, domains: Domains) -> None:
        self.name = domains.name
        self._a, self._b = domains.a, domains.b

    def __len__(self) -> int:
        return len(self._a) + len(self._b)

    def picture(self, index: int) -> Picture:
        """Picture `index`."""
        return self._a.picture(index) if index < len(self._a) else self._b.picture(index - len(self._a))

    def sources(self) -> Mapping[str, Sequence[Path]]:
        """Those of both."""
        a, b = self._a.sources(), self._b.sources()
        return {what: [*a.get(what, ()), *b.get(what, ())] for what in {**a, **b}}


def has_sides(top: Path) -> bool:
    """Whether a folder is laid out as two domains."""
    return has_splits(top) or ((top / "A").is_dir() and (top / "B").is_dir())


def has_splits(top: Path) -> bool:
    """Whether a folder holds a training folder of either domain."""
    return (top / "trainA").is_dir() or (top / "trainB").is_dir()


def sides(top: Path, split: str) -> tuple[Path, Path, bool]:
    """The folders of A and of B for a split, and whether the split must still be made by hash.

    Raises InputError for another layout, for one side alone, and where there is nothing to train a judge on.
    """
    if not has_splits(top):
        if not has_sides(top):
            raise InputError(f"{top} holds {_contents(top)}", LAYOUT, _hint(top))
        if split == "judge":
            raise no_judge(str(top), "sort the pictures into trainA/, testA/, valA/ and the same for B")
        return top / "A", top / "B", True
    train, heldout = _both(top, "train"), next(filter(None, (_both(top, n) for n in HELDOUT)), None)
    assert train
    if split == "judge":
        judge = next(filter(None, (_both(top, n) for n in JUDGE)), None)
        if not judge or judge == heldout:
            raise no_judge(str(top), f"make folders {top / 'valA'} and {top / 'valB'}")
        return *judge, False
    return *(heldout if heldout and split == "heldout" else train), heldout is None


def _both(top: Path, name: str) -> tuple[Path, Path] | None:
    """nameA/ and nameB/; None if there is neither. Raises InputError if there is only one."""
    a, b = top / f"{name}A", top / f"{name}B"
    if a.is_dir() != b.is_dir():
        found, absent = (a, b) if a.is_dir() else (b, a)
        raise InputError(f"{top} holds {found.name}/ but no {absent.name}/", LAYOUT)
    return (a, b) if a.is_dir() else None


def _contents(folder: Path) -> str:
    """What lies in a folder, in a few words."""
    names = sorted(p.name + "/" * p.is_dir() for p in folder.iterdir() if not is_litter(p))
    return f"{', '.join(names[:4])}{f' and {len(names) - 4} more' if len(names) > 4 else ''}" if names else "nothing"


def _hint(top: Path) -> str:
    """Where the domains lie, if they lie one level lower or higher."""
    lower = next((d for d in sorted(top.iterdir()) if d.is_dir() and has_sides(d)), None)
    if lower:
        return f"they lie one level lower: give {lower}"
    return f"they lie one level higher: give {top.parent}" if has_splits(top.absolute().parent) else ""
