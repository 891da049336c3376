"""The OpenVINO library in this process, and its one core."""

from __future__ import annotations

import os
import sys
from typing import Any

from ...errors import MissingExtraError

_cores: dict[int, Any] = {}  # process id -> openvino.Core; what a fork left behind is kept, and not used


def import_openvino() -> Any:
    """Imports OpenVINO without its telemetry package, through which it would report its own import."""
    name = "openvino_telemetry"
    held = sys.modules.get(name)
    if held is None:
        sys.modules[name] = None  # type: ignore[assignment]  # makes its import fail; OpenVINO then uses a stub
    try:
        import openvino
    except ImportError:
        raise MissingExtraError("openvino", "cpu") from None
    finally:
        if held is None:
            del sys.modules[name]
    return openvino


def process_core() -> Any:
    """The openvino.Core of this process, made at the first call and never freed.

    On processors with AMX its CPU plugin gives the thread that loads it another stack for signal handlers, and puts
    the former one back when it is freed. Two that are not freed in the reverse order leave the stack of the first
    behind, which is no longer there, and the next signal (Ctrl-C) then kills the process.
    """
    pid = os.getpid()
    core = _cores.get(pid)
    # Without a lock, which a fork could leave held: of two threads that come first, both get the same one, and the
    # other's has loaded no plugin yet.
    return _cores.setdefault(pid, import_openvino().Core()) if core is None else core
