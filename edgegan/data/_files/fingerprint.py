"""What a training set is, in a few lines that a checkpoint can hold, and how two of them differ."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgegan.data._sets import Labelled, Pictures

_SHOWN = 24  # items, evenly spaced, whose pixels are hashed
_SEED = 0xF1D0


class Items(Protocol):
    """A training stream, as far as a fingerprint needs it."""

    @property
    def sets(self) -> tuple[Pictures, ...]:
        """The sets of pictures that the items show."""
        ...

    def __len__(self) -> int: ...

    def item(self, index: int, rng: np.random.Generator) -> Mapping[str, NDArray[Any]]:
        """One item, drawn with `rng`."""
        ...


def describe_stream(stream: Items) -> dict[str, Any]:
    """A stream as plain JSON values: how many items, their shapes, and digests of files, labels and some pixels."""
    count = len(stream)
    chosen = sorted({i * count // _SHOWN for i in range(_SHOWN)})
    items = [stream.item(i, np.random.Generator(np.random.Philox(key=[_SEED, i]))) for i in chosen]
    pixels = hashlib.sha256()
    for item in items:
        for key in sorted(item):
            pixels.update(np.ascontiguousarray(item[key]).tobytes())
    found: dict[str, Any] = {
        "items": count,
        "shapes": {key: list(value.shape) for key, value in sorted(items[0].items())} if items else {},
        "pixels": pixels.hexdigest()[:16],
    }
    for number, pictures in enumerate(stream.sets):
        which = f" {number + 1}" if number else ""
        sources = {what: files for what, files in pictures.sources().items() if files}
        found.update({f"{what}{which}": _digest_files(files) for what, files in sources.items()})
        if sources and isinstance(pictures, Labelled) and pictures.names:
            found[f"names{which}"] = list(pictures.names)
            labels = np.stack([pictures.label(i) for i in range(len(pictures))])
            found[f"labels{which}"] = hashlib.sha256(labels.tobytes()).hexdigest()[:16]
    return found


def describe_pictures(pictures: Pictures) -> dict[str, Any]:
    """The same of pictures that are only looked at."""
    return describe_stream(_Shown(pictures))


class _Shown:
    """Pictures as a stream that changes none."""

    def __init__(self, pictures: Pictures) -> None:
        self.sets = (pictures,)

    def __len__(self) -> int:
        return len(self.sets[0])

    def item(self, index: int, rng: np.random.Generator) -> Mapping[str, NDArray[Any]]:
        """One picture."""
        del rng
        return {"picture": self.sets[0].picture(index)}


def compare_streams(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What changed, one phrase each, the plainest first; empty if nothing did."""
    found = [
        f"the data set {name} is {'new' if name in now else 'gone'}" for name in sorted(before.keys() ^ now.keys())
    ]
    for name in sorted(before.keys() & now.keys()):
        found += [f"{name}: {phrase}" for phrase in _differences(before[name], now[name])]
    return found


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    found = []
    if before["items"] != now["items"]:
        found.append(f"{now['items']} pictures, {before['items']} before")
    shapes = now["shapes"]
    found += [
        f"{key} is {_shape(shapes.get(key))}, {_shape(before['shapes'].get(key))} before"
        for key in sorted({*shapes, *before["shapes"]})
        if shapes.get(key) != before["shapes"].get(key)
    ]
    # Older checkpoints know less of some sets.
    for key in sorted(before.keys() & now.keys() - {"items", "shapes", "pixels"}):
        if before[key] != now[key]:
            found.append(_WORDS[key.split()[0]])
    if not found and before["pixels"] != now["pixels"]:
        found.append("files of the same names show other pictures")
    return found


_WORDS = {
    "files": "other files, or files of other sizes",
    "masks": "other masks, or masks of other sizes",
    "names": "the attributes are others, or in another order",
    "labels": "the labels are others",
}


def _shape(shape: list[int] | None) -> str:
    return "x".join(map(str, shape)) if shape else "not there"


def _digest_files(files: Iterable[Path]) -> str:
    """Of names below what all share, so that a moved folder is the same, and of sizes."""
    names = [str(file) for file in files]
    top = os.path.commonpath([os.path.dirname(os.path.abspath(name)) for name in names])
    digest = hashlib.sha256()
    for name in names:
        try:
            size = os.stat(name).st_size
        except OSError:
            size = -1
        digest.update(os.fsencode(f"{os.path.relpath(name, top)}\0{size}\n"))
    return digest.hexdigest()[:16]
