"""Where an artefact is tried: backends, each on its usual device, or on another one that stands after a colon."""

from __future__ import annotations

from collections.abc import Sequence

from edgegan.runtime.backends import BACKENDS, Backend, backend_class, libraries, takes
from edgegan.runtime.backends.onnxruntime.backend import import_onnxruntime
from edgegan.runtime.backends.onnxruntime.gpu import CUDA
from edgegan.runtime.backends.selection import usual
from edgegan.runtime.errors import InputError, MissingExtraError
from edgegan.runtime.model.artefact import Artefact

_ON_CUDA = "onnxruntime:cuda"
# It builds an engine of its own from each file, for minutes: proven where it is used, not at export.
_SLOW = "onnxruntime-tensorrt"


def here() -> tuple[str, ...]:
    """What `verify_artefact` tries: each backend on its usual device, and ONNX Runtime on CUDA where that is."""
    return (*BACKENDS, _ON_CUDA) if _has_cuda() else tuple(BACKENDS)


def at_export() -> tuple[str, ...]:
    """As `here`, without what takes minutes."""
    return tuple(name for name in here() if name != _SLOW)


def asked(artefact: Artefact, backends: Sequence[str], device: str = "") -> tuple[str, ...]:
    """The backends to try for what a user named: all that can load the file if none, their usual devices if no device.

    Raises InputError, which names what there is, if a backend is not known or cannot load the file, or if the device
    is not one of its own.
    """
    able = [name for name in BACKENDS if takes(name, artefact.path)]
    for name in backends:
        if name not in able:
            seen = f"{name} cannot load {artefact.path.name}" if name in BACKENDS else f"there is no backend '{name}'"
            raise InputError(seen, f"what can load it: {', '.join(able)}")
    if not device:
        return tuple(name for name in here() if name.partition(":")[0] in (backends or able))
    kinds = {name: backend_class(name).devices for name in backends or able}
    fitting = [name for name, devices in kinds.items() if device.partition(":")[0] in devices]
    if not fitting or (backends and len(fitting) < len(kinds)):
        known = "; ".join(f"{name}: {', '.join(devices)}" for name, devices in kinds.items())
        raise InputError(f"--device {device}: not a device of {', '.join(kinds)}", f"devices: {known}")
    return tuple(f"{name}:{device}" for name in fitting)


def open_unchecked(backend: str, artefact: Artefact) -> Backend:
    """The backend itself: `open_backend` refuses what failed before, and here that is what is to be found out.

    `backend` may be "backend:device".
    """
    name, _, device = backend.partition(":")
    return backend_class(name)(artefact, device=device or usual(name))


def _has_cuda() -> bool:
    if libraries.gpu_count() == 0:
        return False
    try:
        return CUDA in import_onnxruntime().get_available_providers()
    except MissingExtraError:
        return False
