"""The shapes that an engine is built for where axes are open: TensorRT's optimisation profile, out of the card."""

from __future__ import annotations

from ..errors import CardError
from ..model.build_info import Profile, Shape
from ..model.card import ModelCard


def profile(card: ModelCard) -> Profile:
    """The shapes of every input with open axes; empty if there are none.

    The usual shape is what TensorRT chooses its kernels for: the fewest pictures, since a live pipeline sends them
    one by one, at the size the model was trained at. Raises CardError if the card does not bound an axis.
    """
    ranges = _ranges(card)
    found: Profile = {}
    for spec in card.inputs:
        names = [axis for axis in spec.shape if isinstance(axis, str)]
        unknown = [name for name in names if name not in ranges]
        if unknown:
            raise CardError(
                f"{card.name}: the card does not say how large '{unknown[0]}' of '{spec.name}' may be",
                "an engine is built for a range",
                "export the model again",
            )
        if names:
            low, usual, high = (
                tuple(axis if isinstance(axis, int) else ranges[axis][i] for axis in spec.shape) for i in range(3)
            )
            found[spec.name] = (low, usual, high)
    return found


def _ranges(card: ModelCard) -> dict[str, Shape]:
    rule, (fewest, most) = card.size, card.batch
    found: dict[str, Shape] = {"batch": (fewest, fewest, most)}
    if rule.kind != "fixed" and rule.min_hw and rule.max_hw:
        found |= {name: (rule.min_hw[i], rule.hw[i], rule.max_hw[i]) for i, name in enumerate(("height", "width"))}
    return found
