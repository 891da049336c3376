"""What conditional generators are told: a value for each of the card's names, drawn where nobody chose one.

A card's `default` says how often each name was on in training: for a generator, the odds of being drawn.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..model.condition import Condition
from ..types import Float32Array

_COUNTER = 1 << 64  # of the generator that draws latent i with the same key: far behind all that a latent takes


def draw(condition: Condition, count: int, seed: int = 0, *, first: int = 0) -> Float32Array:
    """(count, names): vectors `first`, `first + 1`, ... of `seed`; vector i depends on (seed, i) alone.

    Of each exclusive group one name is on, of the others each by itself, with the odds of the card's default. A name
    with a range of its own is uniform over it. Without names the vectors are empty.
    """
    drawn = np.zeros((count, len(condition.names)), np.float32)
    if not condition.names:
        return drawn
    places = {name: place for place, name in enumerate(condition.names)}
    grouped = {name for group in condition.groups for name in group}
    for row, index in zip(drawn, range(first, first + count), strict=True):
        key = np.array([seed, index], np.uint64)
        rng = np.random.Generator(np.random.Philox(key=key, counter=_COUNTER))
        for group in condition.groups:
            odds = np.array([max(condition.default[places[name]], 0.0) for name in group])
            odds = odds / odds.sum() if odds.sum() > 0 else np.full(len(group), 1 / len(group))
            row[places[group[int(rng.choice(len(group), p=odds))]]] = 1.0
        for name in condition.names:
            if name in condition.ranges:
                row[places[name]] = rng.uniform(*condition.ranges[name])
            elif name not in grouped:
                row[places[name]] = float(rng.random() < condition.default[places[name]])
    return drawn


def change(condition: Condition, rows: Float32Array, changes: Mapping[str, float]) -> Float32Array:
    """The same vectors with `changes` on top, as `Condition.apply` makes them; raises InputError as it does."""
    if not changes:
        return rows
    labels = [condition.apply(dict(zip(condition.names, row.tolist(), strict=True)), changes) for row in rows]
    changed = [[label[name] for name in condition.names] for label in labels]
    return np.array(changed, np.float32).reshape(len(rows), len(condition.names))
