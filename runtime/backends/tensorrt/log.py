"""TensorRT's start, its log, which alone gives reasons, and its profiler."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

from ...errors import BackendError

_LOGS: list[tuple[Any, Any]] = []  # each library with its own
_LOCK = Lock()


def start(kind: Callable[[Any], Any], log: Any) -> Any:
    """A Runtime or Builder of TensorRT with that `log`; raises BackendError with its reason if it cannot start."""
    try:
        found = kind(log)
    except TypeError:  # so pybind11 says that TensorRT returned a null pointer
        found = None
    if found is None:
        reason = log.last or "no reason given"
        raise BackendError(f"TensorRT cannot start: {reason}", todo="check the NVIDIA driver: nvidia-smi")
    return found


def logger(trt: Any) -> Any:
    """The process's one log of the library `trt`, which keeps the last error and prints nothing.

    TensorRT gives reasons to its log alone. It keeps the first that it is given for parts of its own, such as the
    registry of plugins, and for some versions it is the only one: it must outlive every engine. What the log said of
    an earlier call is forgotten here.
    """
    with _LOCK:
        log = next((log for of, log in _LOGS if of is trt), None)
        if log is None:
            log = _begin_log(trt)
            _LOGS.append((trt, log))
    log.last = ""
    return log


def _begin_log(trt: Any) -> Any:
    class Log(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.last = ""

        def log(self, severity: Any, text: str) -> None:
            if severity in (trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR) and text.strip():
                self.last = text.strip().splitlines()[0][:200]

    return Log()


def profiler(trt: Any) -> Any:
    """An IProfiler that keeps name and milliseconds of every layer in `layers`."""

    class Profiler(trt.IProfiler):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.IProfiler.__init__(self)
            self.layers: list[tuple[str, float]] = []

        def report_layer_time(self, layer_name: str, ms: float) -> None:
            self.layers.append((layer_name, ms))

    return Profiler()
