"""What this machine can run: processors, GPUs, backends, cameras, a display, and what is missing for more."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from . import devices, gpu, machine, packages, system
from .finding import Finding

__all__ = ["Finding", "examine"]

_LOOKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    machine.examine,
    gpu.examine,
    devices.backends,
    packages.examine,
    system.examine,
    devices.cameras,
    devices.display,
    devices.model,
)


def examine() -> list[Finding]:
    """Everything worth knowing, in the order of reading; nothing here raises for what is merely not there."""
    return [finding for look in _LOOKS for finding in look()]
