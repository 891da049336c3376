"""The system and its processor."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from pathlib import Path

from ..backends.nvidia import extras
from .finding import Finding


def examine() -> Iterator[Finding]:
    """System and processor."""
    python = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    text = extras.JETSON.read_text("utf-8") if extras.is_jetson() else ""
    release = re.search(r"R(\d+).*REVISION:\s*([\d.]+)", text)
    if release:
        python += f", NVIDIA Jetson Linux {release[1]}.{release[2]}"
    yield Finding(topic="machine", name="system", status="ok", text=python)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding(topic="machine", name="processor", status="ok", text=f"{cores} cores, {_processor()}")


def _processor() -> str:
    """Its name and, on Linux, whether it multiplies bytes fast (VNNI, AMX, dot products)."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8", errors="replace")
    except OSError:
        return platform.processor() or platform.machine()
    name = re.search(r"model name\s*:\s*(.+)", text)
    flags = {f for line in re.findall(r"(?:flags|Features)\s*:\s*(.+)", text) for f in line.split()}
    fast = [flag for flag in ("avx512_vnni", "avx_vnni", "amx_int8", "asimddp") if flag in flags]
    int8 = f"INT8 fast ({', '.join(fast)})" if fast else "INT8 gains little here"
    return f"{name[1].strip() if name else platform.machine()}, {int8}"
