"""The ends of the range that a card states for open axes: what eager answers there, for verification."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from edgegan.runtime.model import golden
from edgegan.runtime.model.card import ModelCard, TensorSpec
from edgegan.runtime.model.golden import Golden

from ..graph.resizing import resize_pictures
from .reference import GOLDEN_BYTES, make_pairs

if TYPE_CHECKING:
    from edgegan.families import ExportSpec

Call = tuple[int, int, int]  # batch, height, width


def corner_pairs(spec: ExportSpec, pairs: Golden) -> dict[str, Golden]:
    """One call at each corner of the card's range, with eager's answer, by `label`; none where no axis is open.

    The sizes of `sizes_to_store` are among them. The inputs are those of `pairs`, resized.
    """
    found = {}
    fewest = spec.card.batch[0]
    for batch, *hw in dict.fromkeys((*corners(spec.card), *((fewest, *hw) for hw in sizes_to_store(spec.card)))):
        chosen = np.arange(batch) % len(pairs)
        inputs = {
            s.name: resize_pictures(pairs.inputs[s.name][chosen], s, (hw[0], hw[1]))
            if s.layout != "NC" and isinstance(s.shape[-1 if s.layout == "NCHW" else -2], str)
            else pairs.inputs[s.name][chosen]
            for s in spec.card.inputs
        }
        found[label((batch, hw[0], hw[1]))] = make_pairs(spec, inputs, batch=batch)
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


def sizes_to_store(card: ModelCard) -> list[tuple[int, int]]:
    """The smallest size that the card allows, and the largest whose pair takes at most half of a golden.npz."""
    rule = card.size
    if rule.kind == "fixed" or rule.min_hw is None or rule.max_hw is None:
        return []
    # Outputs of floats hardly compress; inputs have 256 levels.
    bytes_a_pixel = sum((4 if s.dtype != "uint8" else 1) * _channels(s) for s in card.outputs)
    bytes_a_pixel += sum(map(_channels, card.inputs))
    room = GOLDEN_BYTES / 2 / card.batch[0] / max(bytes_a_pixel, 1)  # pixels
    scale = min(1.0, math.sqrt(room / math.prod(rule.max_hw)))
    largest = tuple(int(side * scale) // rule.multiple * rule.multiple for side in rule.max_hw)
    found = [rule.min_hw, (largest[0], largest[1])]
    return [hw for hw in dict.fromkeys(found) if hw != rule.hw and all(map(operator.ge, hw, rule.min_hw))]


def pairs_to_store(pairs: Mapping[str, Golden], card: ModelCard, key: str) -> dict[str, Golden]:
    """Those of a model's corner pairs that go into its golden.npz, by `golden.call_key`; `key` is its stem."""
    labels = [label((card.batch[0], *hw)) for hw in sizes_to_store(card)]
    return {golden.call_key(key, name): pairs[name] for name in labels if name in pairs}


def _channels(spec: TensorSpec) -> int:
    """Of a picture; 0 of anything else."""
    axis = {"NCHW": 1, "NHWC": 3}.get(spec.layout)
    count = spec.shape[axis] if axis is not None else 0
    return count if isinstance(count, int) else 1


def label(call: Call) -> str:
    """`batch x height x width`, as in 16x128x128."""
    return "x".join(map(str, call))
