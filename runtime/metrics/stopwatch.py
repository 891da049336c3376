"""How long the stages of a frame take."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

STAGES = ("faces", "track", "align", "labels", "preprocess", "network", "postprocess", "blend")
Record = Callable[[str, float], None]  # (stage, seconds)
_P = ParamSpec("_P")
_T = TypeVar("_T")


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
