"""The One-Euro filter: steady where things are still, prompt where they move.

G. Casiez, N. Roussel, D. Vogel: "1 € Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive
Systems", CHI 2012, algorithm 1.
"""

from __future__ import annotations

from math import pi
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..types import Float64Array


class OneEuro:
    """Smooths an array that changes over time, each entry by itself. Not thread-safe.

    The cut-off frequency of an entry is `min_cutoff_hz + beta * speed`, where the speed is in units per second. A
    caller that measures in pixels says with each sample how many of them a unit is, so that one setting serves
    every resolution.

    Args:
        min_cutoff_hz: for what is still; lower is steadier.
        beta: how many Hz each unit per second adds; higher is prompter.
        derivative_cutoff_hz: of the filter that smooths the speed.
    """

    def __init__(self, min_cutoff_hz: float = 1.0, beta: float = 0.0, derivative_cutoff_hz: float = 1.0) -> None:
        self._min_cutoff, self._beta, self._derivative_cutoff = min_cutoff_hz, beta, derivative_cutoff_hz
        self.value: Float64Array | None = None  # the last answer; may be set, as when the whole scene has moved
        self._speed: Float64Array | float = 0.0

    def __call__(self, sample: NDArray[Any], seconds: float, unit: float = 1.0) -> Float64Array:
        """The smoothed array.

        Args:
            sample: of the same shape at every call.
            seconds: since the last sample, more than 0; the first sample is taken as it is.
            unit: the length that counts as 1 in `beta`, in the sample's own units.
        """
        if self.value is None:
            self.value = np.array(sample, np.float64)
            return self.value
        change = sample - self.value
        self._speed += _share(self._derivative_cutoff, seconds) * (change / (unit * seconds) - self._speed)
        self.value = self.value + _share(self._min_cutoff + self._beta * np.abs(self._speed), seconds) * change
        return self.value


def _share(cutoff_hz: Any, seconds: float) -> Any:
    """How much of a new sample a first-order low-pass of this cut-off takes up after so many seconds."""
    turn = 2.0 * pi * cutoff_hz * seconds
    return turn / (turn + 1.0)
