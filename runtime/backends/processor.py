"""The processor of this machine: its kind, and with what it multiplies bytes, and so which figures of a card hold here.

Without VNNI an x86 processor adds two products of an unsigned and a signed byte in 16 bits, which saturate: OpenVINO's
documentation on low-precision execution says so. A figure measured on one kind is therefore none for the other.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from functools import cache
from pathlib import Path

from ..model.card import ModelCard
from ..model.verification import Verification

UNKNOWN = "unknown"

_INFO = Path("/proc/cpuinfo")
# One system's name for an architecture -> the name that Linux has for it.
_SAME = {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64"}
# What Linux calls an instruction -> what it is called here.
_INSTRUCTIONS = {
    "avx_vnni": "vnni",
    "avx512_vnni": "vnni",
    "amx_int8": "amx",
    "asimddp": "dotprod",
    "i8mm": "i8mm",
}
_MAC = {"hw.optional.arm.FEAT_DotProd": "dotprod", "hw.optional.arm.FEAT_I8MM": "i8mm"}


def architecture(machine: str = "") -> str:
    """The processor's architecture by its Linux name, such as "x86_64" or "aarch64"; `machine` is this machine's."""
    name = (machine or platform.machine()).lower()
    return _SAME.get(name, name)


def system() -> str:
    """The operating system and the architecture, such as "Linux x86_64"."""
    return f"{platform.system()} {architecture()}"


@cache
def name() -> str:
    """The processor's name for people, with its family and model where the system gives them."""
    try:
        text = _INFO.read_text("utf-8", "replace")
    except OSError:
        return platform.processor() or platform.machine()
    first = text.partition("\n\n")[0]
    known = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in first.splitlines())}
    found = known.get("model name") or platform.machine()
    if {"cpu family", "model"} <= known.keys():  # cloud machines hide the exact name, not these numbers
        found += f" (family {known['cpu family']}, model {known['model']})"
    return found


def count_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def int8_arithmetic() -> str:
    """The architecture and its instructions for products of bytes: "x86_64 vnni", "aarch64 dotprod i8mm", "x86_64".

    Ends in "unknown" where the system does not tell.
    """
    found = _mac() if sys.platform == "darwin" else _linux()
    words = (UNKNOWN,) if found is None else sorted(found)
    return " ".join((architecture(), *words))


def other_processor(card: ModelCard, figures: Verification) -> str:
    """Of which processor a CPU's figures on a card are, if they do not hold on this one; empty where they do.

    On another architecture a library runs other code, which has to be proven there: OpenVINO 2026.4, exact on x86-64,
    was found 1.8 off over [-1, 1] in float32 on an emulated aarch64 with SVE (`benchmarks/arm.py`). Of INT8 the
    arithmetic has to be the same as well, and known.
    """
    there = figures.architecture or architecture(card.built_with.system.rpartition(" ")[2] or platform.machine())
    return there if there != architecture() else other_arithmetic(card)


def other_arithmetic(card: ModelCard) -> str:
    """The `int8_arithmetic` that an INT8 file was verified with, if this processor's is another or either is unknown.

    Empty where what was measured there holds here: the same arithmetic, or no INT8.
    """
    if card.precision != "int8":
        return ""
    there, here = card.int8_arithmetic or UNKNOWN, int8_arithmetic()
    return "" if there == here and UNKNOWN not in here else there


def _linux() -> set[str] | None:
    try:
        text = _INFO.read_text()
    except OSError:
        return None
    listed = re.search(r"^(?:flags|Features)\s*:(.*)$", text, re.MULTILINE)
    return None if listed is None else {_INSTRUCTIONS[name] for name in listed[1].split() if name in _INSTRUCTIONS}


def _mac() -> set[str] | None:
    if architecture() != "aarch64":
        return None
    import subprocess  # 4 ms of the import, which few machines need

    try:
        told = subprocess.run(["sysctl", "-n", *_MAC], capture_output=True, text=True, timeout=5).stdout.split()
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {word for word, flag in zip(_MAC.values(), told, strict=True) if flag == "1"} if len(told) == 2 else None
