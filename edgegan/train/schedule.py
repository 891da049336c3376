"""Learning rates: constant, then to zero over the last images."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgegan.config import Training
    from edgegan.families import Phase


class Schedule:
    """Sets the learning rates of all phases; those that the optimisers have now are the full ones."""

    def __init__(self, phases: Iterable[Phase], cfg: Training) -> None:
        self._cfg = cfg
        self._full = [(p.optimiser, [float(group["lr"]) for group in p.optimiser.param_groups]) for p in phases]

    def factor(self, images: int) -> float:
        """The share of the full rates after so many images: a straight line, or half a cosine, over `decay_images`."""
        cfg = self._cfg
        left = max(0.0, min(1.0, (cfg.images - images) / cfg.decay_images)) if cfg.decay_images else 1.0
        return 0.5 - 0.5 * math.cos(math.pi * left) if cfg.schedule == "cosine" else left

    def set(self, images: int, share: float = 1.0) -> None:
        """Sets the rates for the round that begins after so many images, to a `share` of what they would be."""
        for optimiser, rates in self._full:
            for group, full in zip(optimiser.param_groups, rates, strict=True):  # a resume makes new groups
                group["lr"] = full * self.factor(images) * share
