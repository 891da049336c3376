"""Does what a model from elsewhere gives fit the range that it was said to have?"""

from __future__ import annotations

import numpy as np
from edgegan.runtime.errors import InputError
from edgegan.runtime.model.card import ModelCard
from edgegan.runtime.model.golden import Golden


def check_output_range(card: ModelCard, pairs: Golden) -> list[str]:
    """Notes on an output that uses little of the range it is said to have.

    Raises InputError where what comes out lies far outside that range.
    """
    spec = card.outputs[0]
    low, high = spec.value_range or (0.0, 1.0)
    values = pairs.outputs[spec.name].astype(np.float64)
    least, most = np.percentile(values, (1, 99))
    seen = f"the values of '{spec.name}' run from {least:.3g} to {most:.3g}"
    if least < low - 0.75 * (high - low) or most > high + 0.75 * (high - low):
        raise InputError(
            seen, f"--range says {low:g} to {high:g}", "correct --range, or name the other one with --output-range"
        )
    whole = f"{seen} of {low:g} to {high:g}"
    if most - least < 0.02 * (high - low):
        return [f"{whole}: nearly one colour; is --range right?"]
    middle = (low + high) / 2
    if _uses_both_halves(card, pairs) and (least >= middle or most <= middle):
        half = f"{middle:g},{high:g}" if least >= middle else f"{low:g},{middle:g}"
        return [
            f"{whole}: half of that range is never used, and edits come out with half of their contrast; "
            f"a network that ends in a Sigmoid gives 0 to 1: --output-range {half}"
        ]
    return []


def _uses_both_halves(card: ModelCard, pairs: Golden) -> bool:
    """Whether the pictures that went in are dark and bright: only then does what comes out say much of its range."""
    spec = card.inputs[0]
    low, high = spec.value_range or (0.0, 1.0)
    least, most = np.percentile(pairs.inputs[spec.name].astype(np.float64), (1, 99))
    return bool(least < low + 0.25 * (high - low) and most > high - 0.25 * (high - low))
