"""The machine and the versions behind a set of figures. No host name, user name or path is recorded."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path

import msgspec

# What decides how fast convolutions and int8 products run.
_FLAGS = (
    *("avx2", "avx512f", "avx_vnni", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16"),
    *("asimd", "asimdhp", "asimddp", "i8mm", "bf16", "sve", "sve2"),
)
_PACKAGES = {
    "edgegan": ("edgegan",),
    "numpy": ("numpy",),
    "opencv": ("opencv-python", "opencv-python-headless", "opencv-contrib-python"),
    "torch": ("torch",),
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu"),
    "openvino": ("openvino",),
    "tensorrt": ("tensorrt", "tensorrt-cu12", "tensorrt-cu13"),
    "tensorrt-rtx": ("tensorrt-rtx",),
}


_PATH = re.compile(r"(?:[A-Za-z]:)?[/\\](?:[^/\\\s'\":,()]+[/\\])+")


class Machine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hardware, system and versions. `load_before` is the system's load average over the last minute before."""

    cpu: str
    cores: int  # those this process may use
    flags: tuple[str, ...]
    virtual: bool | None  # a virtual machine; None where the system does not tell
    memory_gib: float | None
    os: str
    python: str
    versions: dict[str, str]
    gpus: tuple[str, ...]
    load_before: float | None

    @property
    def busy(self) -> bool:
        """Whether something else took a notable share of the cores just before."""
        return self.load_before is not None and self.load_before > 0.3 * self.cores


def describe() -> Machine:
    """This machine, now."""
    info = _cpuinfo()
    present = set(info.get("flags", info.get("Features", "")).split())
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return Machine(
        cpu=_cpu_name(info),
        cores=cores(),
        flags=tuple(f for f in _FLAGS if f in present),
        virtual="hypervisor" in present if present else None,
        memory_gib=_memory_gib(),
        os=_os_name(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        versions=_versions(),
        gpus=gpus(),
        load_before=None if load is None else round(load, 2),
    )


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gpus() -> tuple[str, ...]:
    """The NVIDIA GPUs here, with memory and driver; asked of the driver's own tool, so that no library is loaded."""
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        found = subprocess.run(query, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return _jetson()
    lines = [line.strip() for line in found.stdout.splitlines() if line.strip()]
    return tuple(f"{line} (name, memory, driver)" for line in lines) if found.returncode == 0 else ()


def without_paths(text: str) -> str:
    """`text` with each absolute path cut to its last name: a report says nothing about whose machine it was."""
    return _PATH.sub("", text)


def _jetson() -> tuple[str, ...]:
    """Jetsons before JetPack 7 have no nvidia-smi; their board is named in the device tree."""
    if not Path("/dev/nvhost-gpu").exists():
        return ()
    return (_read("/proc/device-tree/model").strip("\0\n ") or "NVIDIA Tegra",)


def _cpu_name(info: dict[str, str]) -> str:
    name = info.get("model name") or info.get("Model") or platform.processor() or platform.machine()
    if {"cpu family", "model"} <= info.keys():  # cloud machines hide the exact name, not these numbers
        name += f" (family {info['cpu family']}, model {info['model']})"
    return f"{name}, {platform.machine()}"


def _cpuinfo() -> dict[str, str]:
    """The first processor's entries of /proc/cpuinfo; empty elsewhere than on Linux."""
    first = _read("/proc/cpuinfo").partition("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _memory_gib() -> float | None:
    found = re.search(r"MemTotal:\s+(\d+) kB", _read("/proc/meminfo"))
    return round(int(found[1]) / 2**20, 1) if found else None


def _os_name() -> str:
    kernel = f"{platform.system()} {platform.release()}"
    try:
        return f"{platform.freedesktop_os_release()['PRETTY_NAME']}, {kernel}"
    except (OSError, KeyError):
        return kernel


def _versions() -> dict[str, str]:
    found = {}
    for name, distributions in _PACKAGES.items():
        for distribution in distributions:
            try:
                plain = name == distribution
                found[name] = metadata.version(distribution) + ("" if plain else f" ({distribution})")
                break
            except metadata.PackageNotFoundError:
                continue
    return found


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", "replace")
    except OSError:
        return ""
