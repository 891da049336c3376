"""The ends of the range that a card states for open axes: what eager answers there, for verification."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from edgegan.runtime.card import ModelCard
from edgegan.runtime.golden import Golden

from .pairs import answered, resized

if TYPE_CHECKING:
    from edgegan.families import ExportSpec

Call = tuple[int, int, int]  # batch, height, width


def corner_pairs(spec: ExportSpec, pairs: Golden) -> dict[str, Golden]:
    """One call at each corner of the card's range, with eager's answer, by `label`; none where no axis is open.

    The inputs are those of `pairs`, resized.
    """
    found = {}
    for batch, *hw in corners(spec.card):
        chosen = np.arange(batch) % len(pairs)
        inputs = {
            s.name: resized(pairs.inputs[s.name][chosen], s, (hw[0], hw[1]))
            if s.layout != "NC" and isinstance(s.shape[-1 if s.layout == "NCHW" else -2], str)
            else pairs.inputs[s.name][chosen]
            for s in spec.card.inputs
        }
        found[label((batch, hw[0], hw[1]))] = answered(spec, inputs, batch=batch)
    return found


def corners(card: ModelCard) -> list[Call]:
    """Every end of the sizes that the card allows, one picture a call; and its largest batch, at small sizes alone."""
    (fewest, most), rule = card.batch, card.size
    found: list[Call] = []
    if rule.kind != "fixed" and rule.min_hw is not None and rule.max_hw is not None:
        found += [(fewest, h, w) for h in (rule.min_hw[0], rule.max_hw[0]) for w in (rule.min_hw[1], rule.max_hw[1])]
        found += [(most, *rule.min_hw)] if most > fewest else []
    if most > fewest:
        found.append((most, *rule.hw))
    return list(dict.fromkeys(found))


def label(call: Call) -> str:
    """`batch x height x width`, as in 16x128x128."""
    return "x".join(map(str, call))
