"""Figures of a GPU as JSON lines, written as they come."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Figures = dict[str, Any]


class Probe:
    """Tells figures to a file and to standard output; an attempt that fails is a line too."""

    def __init__(self, out: Path, device: str, tiny: bool, model: Path | None = None) -> None:
        self.device, self.tiny, self._out, self.failed, self.model = device, tiny, out, 0, model
        out.parent.mkdir(parents=True, exist_ok=True)

    def attempt(self, what: str, do: Callable[[], Figures], **more: Any) -> None:
        """Runs `do` and tells its figures, or its error."""
        try:
            row = {"what": what, "ok": True, **more, **do()}
        except Exception as error:
            self.failed += 1
            row = {"what": what, "ok": False, **more, "error": f"{type(error).__name__}: {error}"[:400]}
        line = json.dumps(row)
        print(line)
        with self._out.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def time(self, run: Callable[[], object], sync: Callable[[], object] = lambda: None) -> Figures:
        """Milliseconds of a call, its end waited for."""
        calls = 3 if self.tiny else 100
        for _ in range(calls // 5 + 1):
            run()
        sync()
        times = []
        for _ in range(calls):
            began = time.perf_counter()
            run()
            sync()
            times.append(1000 * (time.perf_counter() - began))
        tenths = statistics.quantiles(times, n=10)
        return {"p50_ms": statistics.median(times), "p10_ms": tenths[0], "p90_ms": tenths[-1]}
