"""ONNX Runtime's providers for other makers' hardware: each wholly or not at all. None of them has been run yet."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...errors import BackendError
from ...model.artefact import Artefact
from ..device import Device
from ..processor import count_cores
from .gpu import open_session


class Accelerator(NamedTuple):
    """A provider: its name in ONNX Runtime, and what brings it."""

    provider: str
    remedy: str


# By the names of devices. What is verified on them is the user's to do: edgegan verify MODEL --device D --write.
ACCELERATORS = {
    "directml": Accelerator("DmlExecutionProvider", "on Windows: pip install onnxruntime-directml"),
    "coreml": Accelerator("CoreMLExecutionProvider", "on a Mac: pip install onnxruntime"),
    "qnn": Accelerator("QNNExecutionProvider", "on a Snapdragon: pip install onnxruntime-qnn"),
    "migraphx": Accelerator("MIGraphXExecutionProvider", "on an AMD GPU: an ONNX Runtime built with MIGraphX"),
    "xnnpack": Accelerator("XnnpackExecutionProvider", "an ONNX Runtime built with XNNPACK"),
}


def list_accelerators(ort: Any) -> list[str]:
    """The devices whose provider is in this ONNX Runtime, which does not say that the hardware is there."""
    there = ort.get_available_providers()
    return [device for device, each in ACCELERATORS.items() if each.provider in there]


def open_accelerator(ort: Any, artefact: Artefact, device: str, threads: int | None) -> Any:
    """A session whose every node runs on `device`, such as "coreml" or "directml:1".

    Raises InputError for a file that is no network, BackendError where the provider is not here or lacks a kernel.
    """
    asked = Device.parse(device)
    chosen = ACCELERATORS[asked.kind]
    if chosen.provider not in ort.get_available_providers():
        raise BackendError(f"this ONNX Runtime was built without {chosen.provider}", todo=chosen.remedy)
    options = _options(asked, threads or count_cores())
    return open_session(
        ort, artefact, chosen.provider, options, open_axes=False, memory_pattern=asked.kind != "directml"
    )


def _options(device: Device, threads: int) -> dict[str, str]:
    """The provider's own options, as ONNX Runtime's documentation names them."""
    if device.kind in ("directml", "migraphx"):
        return {"device_id": str(device.number or 0)}
    if device.number is not None:
        raise BackendError(f"'{device}' is not a device", f"there is one {device.kind}, and it has no number")
    return {
        # The older format knows fewer operators. Float16 within it is its own choice: the golden pairs decide.
        "coreml": {"ModelFormat": "MLProgram", "MLComputeUnits": "ALL"},
        "qnn": {"backend_type": "htp"},
        "xnnpack": {"intra_op_num_threads": str(threads)},
    }[device.kind]
