"""Changes that come in smoothly, instead of from one frame to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...model.condition import Partly

EASE_S = 0.25


@dataclass(frozen=True)
class _Path:
    """The way of one attribute from (value, share) at `began` to `target`; None means back to the face's own."""

    value: float
    share: float
    target: float | None
    began: float

    def at(self, now: float, seconds: float) -> tuple[float, float]:
        """(value, share) at a moment; the share is how far it replaces the face's own label."""
        t = min(max((now - self.began) / seconds, 0.0), 1.0) if seconds > 0 else 1.0
        t = t * t * (3.0 - 2.0 * t)
        if self.target is None:
            return self.value, self.share * (1.0 - t)
        begin = self.value if self.share > 0 else self.target
        return begin + t * (self.target - begin), self.share + t * (1.0 - self.share)


class Easing:
    """Follows the wanted changes within `seconds`. The first ones hold at once. For one thread.

    A change that comes in or goes away does so as a share of the way from the face's own label, which each face has
    for itself; see `card.Partly`.
    """

    def __init__(self, seconds: float = EASE_S) -> None:
        self._seconds = seconds
        self._paths: dict[str, _Path] | None = None

    def towards(self, wanted: Mapping[str, float], now: float) -> Mapping[str, float]:
        """What to ask of the editor at the moment `now`, in monotonic seconds."""
        if self._seconds <= 0:
            return wanted
        if self._paths is None:
            self._paths = {name: _Path(value, 1.0, value, now) for name, value in wanted.items()}
        eased: dict[str, float] = {}
        for name in [*self._paths, *(n for n in wanted if n not in self._paths)]:
            path = self._paths.get(name, _Path(0.0, 0.0, None, now))
            target = wanted.get(name)
            if target != path.target:
                path = _Path(*path.at(now, self._seconds), target, now)
            value, share = path.at(now, self._seconds)
            if target is None and share <= 0.0:
                self._paths.pop(name, None)
                continue
            self._paths[name] = path
            if share > 0.0:
                eased[name] = value if share >= 1.0 else Partly(value, share)
        return eased
