"""One number that a person can push."""

from __future__ import annotations

from ...checks import check_finite


class Slider:
    """A number from `low` to `high`, read from any thread; `Panel.set` moves it. None means "as it is"."""

    STEPS = 40

    def __init__(
        self, name: str, low: float = 0.0, high: float = 1.0, *, rest: float | None = 0.0, key: str = ""
    ) -> None:
        self.name, self.low, self.high, self.rest, self.key = name, low, high, rest, key
        self.value = rest

    def place(self) -> float:
        """Where it stands, from 0 to 1; at 0 or its low end while it is as it is."""
        value = min(max(0.0, self.low), self.high) if self.value is None else self.value
        return (value - self.low) / (self.high - self.low)

    def at(self, place: float) -> float:
        """The value at a place from 0 to 1, or at the nearer end, in steps of a fortieth."""
        step = round(share(place) * self.STEPS)
        return round(self.low + step / self.STEPS * (self.high - self.low), 6)


def share(place: float) -> float:
    """A place from 0 to 1; the nearer end for one beyond. Raises InputError for what is no finite number."""
    return min(max(check_finite(place, "a place on a slider or in the picture"), 0.0), 1.0)
