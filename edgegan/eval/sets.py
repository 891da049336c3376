"""How far a set of made pictures is from a set of real ones, with all that such a figure needs to be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgegan.data import Pictures
from edgegan.eval.distance import Features, frechet, kernel
from edgegan.eval.features import Extractor, efficientnet_lite0, inception
from edgegan.eval.report import Table
from edgegan.eval.swd import descriptors, swd
from edgegan.runtime.errors import InputError, MissingExtraError
from edgegan.sheet import Picture

FEWEST = 8  # two halves of four: the kernel distance needs as many


@dataclass(frozen=True)
class Real:
    """A reference set: what it is called, and its pictures (H, W, 3) uint8."""

    name: str
    pictures: Sequence[Picture]


def real(pictures: Pictures, count: int) -> Real:
    """The first `count` pictures of a set; raises InputError if there are too few to compare with."""
    found = [pictures.picture(i) for i in range(min(count, len(pictures)))]
    if len(found) < FEWEST:
        raise InputError(
            f"{pictures.name}: {len(found)} pictures are too few to measure a distance to",
            f"at least {FEWEST}; hundreds for figures that mean something",
        )
    return Real(pictures.name, found)


class Distances:
    """Sliced Wasserstein distance, and Fréchet and kernel distance on every network there is.

    Without the `eval` extra only the first; `missing` then says so. Raises as `inception` does.
    """

    def __init__(self, inception_weights: Path | None = None, seed: int = 0) -> None:
        self._seed = seed
        self._known: dict[tuple[str, int], tuple[Sequence[Picture], Features]] = {}
        self._extractors: list[Extractor] = []
        self.missing: list[str] = []
        try:
            self._extractors.append(efficientnet_lite0())
        except MissingExtraError as error:
            self.missing.append(f"FD-efficientnet-lite0 is not measured: {error.seen}; {error.todo}")
        if inception_weights is not None:
            self._extractors.append(inception(inception_weights))

    def to(self, made: Sequence[Picture], reference: Real) -> dict[str, Any]:
        """Every distance with its floor: the same distance between two random halves of the reference.

        A distance shrinks as N grows, and so does its floor: each states its own N. SWD compares equally many
        pictures, so it takes the first N of the larger set.
        """
        order = np.random.Generator(np.random.Philox(self._seed)).permutation(len(reference.pictures))
        half = len(order) // 2
        found: dict[str, Any] = {
            "SWD": self._swd(made, reference.pictures, [reference.pictures[i] for i in order[: 2 * half]])
        }
        for extractor in self._extractors:
            fake, true = self._features(extractor, made), self._features(extractor, reference.pictures)
            one, other = true[order[:half]], true[order[half : 2 * half]]
            mean, deviation = kernel(fake, true, self._seed)
            found[extractor.frechet] = {"value": round(frechet(fake, true), 3), "floor": round(frechet(one, other), 3)}
            found[extractor.kernel] = {
                "value": round(1e3 * mean, 3),
                "deviation": round(1e3 * deviation, 3),
                "floor": round(1e3 * kernel(one, other, self._seed)[0], 3),
            }
        return {
            "pictures": len(made),
            "reference": reference.name,
            "reference_pictures": len(order),
            "floor_pictures": half,
            "distances": found,
        }

    def features(self, pictures: Sequence[Picture]) -> Features | None:
        """Of the first network, for finding what is alike; None where there is none."""
        return self._features(self._extractors[0], pictures) if self._extractors else None

    def _features(self, extractor: Extractor, pictures: Sequence[Picture]) -> Features:
        """Kept, since the same pictures are compared with several sets; with them, so that no id comes twice."""
        key = (extractor.frechet, id(pictures))
        if key not in self._known:
            self._known[key] = (pictures, extractor(pictures))
        return self._known[key][1]

    def _swd(self, made: Sequence[Picture], true: Sequence[Picture], shuffled: Sequence[Picture]) -> dict[str, Any]:
        both, half = min(len(made), len(true)), len(shuffled) // 2
        levels, floor = (
            swd(descriptors(a, self._seed), descriptors(b, self._seed), self._seed)
            for a, b in ((made[:both], true[:both]), (shuffled[:half], shuffled[half:]))
        )
        return {
            "value": round(float(np.mean(list(levels.values()))), 3),
            "floor": round(float(np.mean(list(floor.values()))), 3),
            "pictures": both,
            "levels": {str(height): round(value, 3) for height, value in levels.items()},
            "floor_levels": {str(height): round(value, 3) for height, value in floor.items()},
        }


def table(title: str, comparisons: dict[str, dict[str, Any]]) -> Table:
    """One row for each distance of each comparison, by the comparison's name."""
    rows = [
        [what, _unit(measure), f"{d['value']:.2f}", f"{d['floor']:.2f}", _counts(compared, d), compared["reference"]]
        for what, compared in comparisons.items()
        for measure, d in compared["distances"].items()
    ]
    return Table(title, ("", "distance", "value", "floor", "N (floor)", "reference"), rows, left=(0, 1, 5))


def _unit(measure: str) -> str:
    return measure if measure.startswith("F") else f"{measure} x 1000"


def _counts(compared: dict[str, Any], distance: dict[str, Any]) -> str:
    made, true = (distance.get("pictures", compared[key]) for key in ("pictures", "reference_pictures"))
    half = compared["floor_pictures"]
    return f"{made}:{true} ({half}:{half})"
