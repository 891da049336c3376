"""Where an artefact is tried: backends, each on its usual device or on another one."""

from __future__ import annotations

from collections.abc import Sequence

from edgegan.runtime.backends import BACKENDS, Backend, backend_class, takes
from edgegan.runtime.backends.device import Device, Target
from edgegan.runtime.backends.nvidia import libraries
from edgegan.runtime.backends.onnxruntime.backend import import_onnxruntime
from edgegan.runtime.backends.onnxruntime.gpu import CUDA
from edgegan.runtime.errors import InputError, MissingExtraError
from edgegan.runtime.model.artefact import Artefact

_ON_CUDA = Target("onnxruntime", Device("cuda"))
# It builds an engine of its own from each file, for minutes: proven where it is used, not at export.
_SLOW = "onnxruntime-tensorrt"


def list_here() -> tuple[Target, ...]:
    """What `verify_artefact` tries: each backend on its usual device, and ONNX Runtime on CUDA where that is."""
    return (*map(Target.parse, BACKENDS), *((_ON_CUDA,) if _has_cuda() else ()))


def list_for_export() -> tuple[Target, ...]:
    """As `list_here`, without what takes minutes."""
    return tuple(target for target in list_here() if target.backend != _SLOW)


def choose(artefact: Artefact, backends: Sequence[str], device: str = "") -> tuple[Target, ...]:
    """The targets to try for what a user named: all that can load the file if no backend, usual devices if no device.

    Raises InputError, which names what there is, if a backend is not known or cannot load the file, or if the device
    is not one of its own; BackendError for a device that is none.
    """
    able = [name for name in BACKENDS if takes(name, artefact.path)]
    for name in backends:
        if name not in able:
            seen = f"{name} cannot load {artefact.path.name}" if name in BACKENDS else f"there is no backend '{name}'"
            raise InputError(seen, f"what can load it: {', '.join(able)}")
    if not device:
        return tuple(target for target in list_here() if target.backend in (backends or able))
    wanted = Device.parse(device)
    kinds = {name: backend_class(name).devices for name in backends or able}
    fitting = [name for name, devices in kinds.items() if wanted.kind in devices]
    if not fitting or (backends and len(fitting) < len(kinds)):
        known = "; ".join(f"{name}: {', '.join(devices)}" for name, devices in kinds.items())
        raise InputError(f"--device {device}: not a device of {', '.join(kinds)}", f"devices: {known}")
    return tuple(Target(name, wanted) for name in fitting)


def open_unchecked(target: Target, artefact: Artefact) -> Backend:
    """The backend itself: `open_backend` refuses what failed before, and here that is what is to be found out."""
    return backend_class(target.backend)(artefact, device=str(target.device))


def _has_cuda() -> bool:
    if libraries.gpu_count() == 0:
        return False
    try:
        return CUDA in import_onnxruntime().get_available_providers()
    except MissingExtraError:
        return False
