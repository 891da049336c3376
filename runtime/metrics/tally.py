"""How long each stage took, and how often what happened: the one store of timings and counts."""

from __future__ import annotations

from collections import Counter, deque
from itertools import islice
from threading import Lock

import numpy as np

from .stopwatch import STAGES

PERCENTILES = (50, 95, 99)
_WINDOW = 4096  # samples kept per stage: memory stays bounded however long the run
_NOW = 31  # of which are "now"

# Along the way of a frame; a stage of another name comes where the unnamed one stands.
_BEFORE = ("wait", "read", "decode", *STAGES[: STAGES.index("network")], "latent", *STAGES[STAGES.index("network") :])
_AFTER = ("total", "process", "besides", "dress", "encode", "display", "write", "age")


class Tally:
    """The store of timings: durations by stage, and counts by name. Every method may be called from any thread.

    Names are free. Stages come out along the way of a frame, whatever the order in which they came in. Adding costs
    about a microsecond.
    """

    def __init__(self) -> None:
        self._stages: dict[str, deque[float]] = {}
        self._counts: Counter[str] = Counter()
        self._lock = Lock()

    def record(self, stage: str, seconds: float) -> None:
        """Adds one duration to a stage."""
        with self._lock:
            samples = self._stages.get(stage)
            if samples is None:
                samples = deque(maxlen=_WINDOW)
                self._stages = dict(sorted({**self._stages, stage: samples}.items(), key=_place))
            samples.append(seconds)

    def count(self, name: str, more: int = 1) -> None:
        """Adds to a count."""
        with self._lock:
            self._counts[name] += more

    def total(self, name: str) -> int:
        """A count; 0 for one that nothing was added to."""
        with self._lock:
            return self._counts[name]

    def newest(self, count: int = _NOW) -> dict[str, list[float]]:
        """Stage -> its last durations in seconds, the newest first."""
        with self._lock:
            return {name: list(islice(reversed(samples), count)) for name, samples in self._stages.items()}

    def percentiles_ms(self) -> dict[str, dict[str, float]]:
        """Stage -> {"p50": ...}, in milliseconds, of the last 4096 durations."""
        with self._lock:
            stages = {name: np.array(samples) for name, samples in self._stages.items()}
        return {
            name: {f"p{p}": round(1000 * float(np.percentile(samples, p)), 3) for p in PERCENTILES}
            for name, samples in stages.items()
        }

    def table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Head and rows, for a terminal; without the stages that never took any time."""
        with self._lock:
            idle = {name for name, samples in self._stages.items() if not any(samples)}
        rows = [
            (name, *(f"{ms:.1f}" for ms in times.values()))
            for name, times in self.percentiles_ms().items()
            if name not in idle
        ]
        return ("stage", *(f"p{p} ms" for p in PERCENTILES)), rows


def _place(stage: tuple[str, object]) -> int:
    name = stage[0]
    if name in _AFTER:
        return len(_BEFORE) + 1 + _AFTER.index(name)
    return _BEFORE.index(name) if name in _BEFORE else len(_BEFORE)
