"""How long each stage took, and how often what happened: the one store of timings and counts, and what fills it."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from threading import Lock
from typing import ParamSpec, TypeVar

import msgspec
import numpy as np

STAGES = ("faces", "track", "align", "labels", "preprocess", "network", "postprocess", "blend")
Record = Callable[[str, float], None]  # (stage, seconds)
_P = ParamSpec("_P")
_T = TypeVar("_T")

PERCENTILES = (50, 95, 99)
_WINDOW = 4096  # samples kept per stage: memory stays bounded however long the run
_NOW = 31  # of which are "now"
_OF_CALLS = ("p50", "p95")  # of an editor's stages

# Along the way of a frame; a stage of another name comes where the unnamed one stands.
_BEFORE = ("wait", "read", "decode", *STAGES[: STAGES.index("network")], "latent", *STAGES[STAGES.index("network") :])
_AFTER = ("total", "process", "besides", "dress", "encode", "display", "write", "age")


class Stopwatch:
    """Calls functions and adds their time to a stage; tells `record` at the end of the frame. One thread uses it."""

    def __init__(self, record: Record | None) -> None:
        self._record = record
        self._seconds = dict.fromkeys(STAGES, 0.0)

    def __call__(self, stage: str, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        start = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            self._seconds[stage] += time.perf_counter() - start

    def add(self, stage: str, seconds: float) -> None:
        """Time that another thread spent on a stage."""
        self._seconds[stage] += seconds

    def report(self) -> None:
        """Tells the seconds of each stage, of all of them, once."""
        if self._record is not None:
            for stage, seconds in self._seconds.items():
                self._record(stage, seconds)


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


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """Counts since the editor was opened, and times of the last 4096 calls.

    `stages_ms` holds p50 and p95, in milliseconds, of each stage of `tally.STAGES`, of `wait` (for another
    thread's turn to end) and of `total` (the whole call, without `wait`). A batch counts as one call.
    """

    frames: int  # given to `edit` and `edit_batch`
    crops: int  # given to `translate`
    errors: int  # calls that raised
    stages_ms: dict[str, dict[str, float]]
    left_alone: dict[str, int] = {}  # faces that were not edited, by the reason; each counts in every frame


class CallTally(Tally):
    """Counts and times the calls of an editor; every method may be called from any thread."""

    @contextmanager
    def call(self, *, frames: int = 0, crops: int = 0) -> Iterator[None]:
        """Counts and times one call; one that raises counts as an error alone."""
        began = time.perf_counter()
        try:
            yield
        except BaseException:
            self.count("errors")
            raise
        self.record("total", time.perf_counter() - began)
        self.count("frames", frames)
        self.count("crops", crops)

    def statistics(self) -> Statistics:
        """The counts and times so far."""
        return Statistics(
            frames=self.total("frames"),
            crops=self.total("crops"),
            errors=self.total("errors"),
            stages_ms={name: {p: ms[p] for p in _OF_CALLS} for name, ms in self.percentiles_ms().items()},
        )


def _place(stage: tuple[str, object]) -> int:
    name = stage[0]
    if name in _AFTER:
        return len(_BEFORE) + 1 + _AFTER.index(name)
    return _BEFORE.index(name) if name in _BEFORE else len(_BEFORE)
