"""NVIDIA's cards, as the PCI bus shows them without a driver, and what brings the driver that is missing."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path

from ..backends.nvidia.extras import is_jetson
from ..backends.nvidia.libraries import DRIVER
from .finding import Finding

PCI = Path("/sys/bus/pci/devices")
MODULE = Path("/sys/module/nvidia")  # there while the kernel's part of the driver is loaded

_VENDOR, _DISPLAY = "0x10de", "0x03"  # PCI's number of NVIDIA, and its class of display controllers, 3D ones included
_CONTAINER = "in a container: docker run --gpus all"


def cards(root: Path) -> tuple[str, ...]:
    """The bus addresses of the graphics cards of NVIDIA in a folder like PCI, such as "0000:01:00.0"."""
    return tuple(
        device.name
        for device in sorted(root.glob("*"))
        if _line(device / "vendor") == _VENDOR and _line(device / "class").startswith(_DISPLAY)
    )


def without_driver() -> Finding:
    """What to say where the driver's library cannot be loaded."""
    found = cards(PCI)
    if is_jetson():
        text = f"a Jetson without its driver's library ({DRIVER})"
        todo = "sudo apt install nvidia-l4t-cuda; in a container: docker run --runtime nvidia"
        return Finding(topic="gpu", name="NVIDIA", status="missing", text=text, todo=todo)
    if not found:
        text = f"no driver ({DRIVER}), and no card of NVIDIA on the PCI bus"
        return Finding(topic="gpu", name="NVIDIA", status="note", text=text)
    where = f"a card of NVIDIA is here ({', '.join(found)})"
    loaded = MODULE.exists()
    text = f"{where}, and its driver's library ({DRIVER}) is not" if loaded else f"{where}, and no driver for it"
    todo = f"{_remedy(_release(), loaded=loaded)}; {_CONTAINER}"
    return Finding(topic="gpu", name="NVIDIA", status="missing", text=text, todo=todo)


def _remedy(release: Mapping[str, str], *, loaded: bool) -> str:
    package = "libcuda1" if loaded else "nvidia-driver"
    debian = f"sudo apt install {package} (from Debian's section non-free)"
    ubuntu = "sudo ubuntu-drivers install"
    lines = {"debian": debian, "ubuntu": ubuntu}
    family = [release.get("ID", ""), *release.get("ID_LIKE", "").split()]
    known = next((lines[name] for name in family if name in lines), f"on Debian: {debian}; on Ubuntu: {ubuntu}")
    return known if loaded else f"{known}, then restart"


def _release() -> Mapping[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


def _line(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except OSError:
        return ""
