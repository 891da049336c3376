"""What this machine can run: processors, backends and devices, cameras, a display, and which extras are missing."""

from __future__ import annotations

import ctypes.util
import os
import platform
import re
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

import msgspec

from . import artefact
from .backends import BACKENDS, installed, open_backend
from .backends.cuda import Cuda
from .errors import EdgeganError

# What pip's packages expect of the system, and Debian's package that brings it.
_SYSTEM_LIBRARIES = {"GL": "libgl1", "glib-2.0": "libglib2.0-0"}
_EXTRA = re.compile(r"extra\s*==\s*['\"]([\w-]+)['\"]")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing looked at. `todo` is the command or step that mends it; empty where there is nothing to mend."""

    topic: Literal["machine", "backend", "extra", "camera", "display", "system", "model"]
    name: str
    status: Literal["ok", "missing", "note"]
    text: str
    todo: str = ""


def examine() -> list[Finding]:
    """Everything worth knowing, in the order of reading; nothing here raises for what is merely not there."""
    looks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _machine,
        _backends,
        _extras,
        _system,
        _cameras,
        _display,
        _model,
    )
    return [finding for look in looks for finding in look()]


def _machine() -> Iterator[Finding]:
    python = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    yield Finding(topic="machine", name="system", status="ok", text=python)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding(topic="machine", name="processor", status="ok", text=f"{cores} cores, {_processor()}")
    try:
        cuda = Cuda(0)
    except EdgeganError as error:
        yield Finding(topic="machine", name="GPU", status="note", text=f"none that CUDA can use: {error.seen}")
        return
    text = f"{cuda.gpu_name}, compute capability {cuda.compute_capability}"
    cuda.close()
    yield Finding(topic="machine", name="GPU", status="ok", text=text)


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


def _backends() -> Iterator[Finding]:
    for name in BACKENDS:
        try:
            yield Finding(topic="backend", name=name, status="ok", text=installed(name))
        except EdgeganError as error:
            yield Finding(topic="backend", name=name, status="missing", text=error.seen, todo=error.todo)


def _extras() -> Iterator[Finding]:
    """Each extra of the distribution, with the packages that are missing for it."""
    try:
        wanted = requires("edgegan") or []
    except PackageNotFoundError:
        yield Finding(topic="extra", name="edgegan", status="note", text="not installed: running from a checkout")
        return
    extras: dict[str, list[str]] = {}
    for requirement in wanted:
        found = _EXTRA.search(requirement)
        if found and "sys_platform" not in requirement.partition(";")[2].replace(f"'{sys.platform}'", ""):
            extras.setdefault(found[1], []).append(re.split(r"[\s<>=!~;\[(]", requirement, maxsplit=1)[0])
    for extra, packages in sorted(extras.items()):
        missing = [name for name in packages if name != "edgegan" and not _installed(name)]
        if not missing:
            yield Finding(topic="extra", name=extra, status="ok", text="complete")
        elif extra == "gpu" and not _has_gpu():
            text = "for machines with an NVIDIA GPU; there it takes the place of the extra 'cpu'"
            yield Finding(topic="extra", name=extra, status="note", text=text)
        else:
            todo = f"pip install 'edgegan[{extra}]'"
            yield Finding(topic="extra", name=extra, status="missing", text=f"without {', '.join(missing)}", todo=todo)


def _has_gpu() -> bool:
    try:
        Cuda(0).close()
    except EdgeganError:
        return False
    return True


def _installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        # They overwrite each other: either serves, and only one may be there.
        return name == "onnxruntime" and _installed("onnxruntime-gpu")
    return True


def _system() -> Iterator[Finding]:
    if sys.platform != "linux":
        return
    try:
        import cv2
    except ImportError as error:
        missing = [
            package for library, package in _SYSTEM_LIBRARIES.items() if ctypes.util.find_library(library) is None
        ]
        yield Finding(
            topic="system",
            name="OpenCV",
            status="missing",
            text=str(error),
            todo=f"apt-get install {' '.join(missing)}" if missing else "pip install --force-reinstall opencv-python",
        )
        return
    yield Finding(topic="system", name="OpenCV", status="ok", text=cv2.__version__)


def _cameras() -> Iterator[Finding]:
    from .sources.camera import cameras

    found = cameras()
    for number, name in found.items():
        yield Finding(topic="camera", name=f"--source {number}", status="ok", text=name)
    if not found:
        text = "none found; --source synthetic and video files need none"
        yield Finding(topic="camera", name="cameras", status="note", text=text)


def _display() -> Iterator[Finding]:
    from .sinks.window import check_display

    try:
        check_display()
    except EdgeganError as error:
        yield Finding(topic="display", name="window", status="note", text=error.seen, todo=error.todo)
    else:
        yield Finding(topic="display", name="window", status="ok", text="windows can be opened")


def _model() -> Iterator[Finding]:
    """The model that ships: what would run it here, and why not the others."""
    try:
        shipped = artefact.load(artefact.shipped())
        with open_backend(shipped) as opened:
            first, *others = opened.selection.lines()
    except EdgeganError as error:
        yield Finding(topic="model", name="shipped model", status="missing", text=error.seen, todo=error.todo)
        return
    yield Finding(topic="model", name="shipped model", status="ok", text=first)
    for line in others:
        yield Finding(topic="model", name="", status="note", text=line)
