"""ncnn, on CPUs and through Vulkan; reads .param files with the .bin beside them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BackendError, InputError, MissingExtraError
from ...model.artefact import Artefact
from ...model.card import TensorSpec
from ..contract import Arrays, Closing, Port, check_inputs
from ..device import Device
from ..processor import count_cores
from ..quiet import no_printing
from ..selection import Selection

PACKAGES = ("ncnn",)


class Ncnn(Closing):
    """ncnn behind the contract of `Backend`, in float32 throughout, one picture a call.

    Its files know the inputs and outputs by number alone, in the order of the card.

    Args:
        artefact: a .param file with its card; the weights lie in the .bin of the same name.
        device: "cpu", "vulkan" or "vulkan:1".
        threads: CPU threads; None takes all.
    """

    name = "ncnn"
    suffixes = (".param",)
    devices = ("cpu", "vulkan")
    selection: Selection
    notices: tuple[str, ...] = ()

    def __init__(self, artefact: Artefact, *, device: str, threads: int | None = None) -> None:
        self._ncnn = ncnn = import_ncnn()
        asked = Device.parse(device)
        if asked.kind not in self.devices or (asked.kind == "cpu" and asked.number is not None):
            raise BackendError(f"'{device}' is not a device of ncnn", "cpu, vulkan, or vulkan: and a number")
        gpus = vulkan_gpus(ncnn) if asked.kind == "vulkan" else 0
        if asked.kind == "vulkan" and (asked.number or 0) >= gpus:
            raise BackendError(f"ncnn sees no device '{device}' here", f"GPUs with a Vulkan driver: {gpus}")
        self._network = network = ncnn.Net()
        options = network.opt
        options.num_threads = threads or count_cores()
        options.use_vulkan_compute = asked.kind == "vulkan"
        # By itself it takes half precision where the processor or the GPU has that, which is never what was verified.
        for option in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage"):
            setattr(options, f"use_{option}", False)
        if asked.kind == "vulkan":
            network.set_vulkan_device(asked.number or 0)
        with no_printing():
            # It returns a number for what it cannot read, and reads on where a layer is not known.
            right = network.load_param(str(artefact.path)) == 0
            right = right and network.load_model(str(artefact.path.with_suffix(".bin"))) == 0
        if not right:
            todo = "export the model again, or update ncnn: pip install -U ncnn"
            raise InputError(f"ncnn cannot load {artefact.path} and the .bin beside it", todo=todo)
        self.device = device
        self.inputs = _ports(artefact.card.inputs, network.input_names(), "in")
        self.outputs = _ports(artefact.card.outputs, network.output_names(), "out")

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        """See `Backend.run`."""
        if self._network is None:
            raise BackendError("this backend is closed")
        check_inputs(self.inputs, inputs)
        with self._network.create_extractor() as extractor:
            for number, port in enumerate(self.inputs):
                array = np.ascontiguousarray(inputs[port.name][0])
                # A Mat neither owns nor keeps alive the array that it is made from: `array` does, until it is cloned.
                if extractor.input(f"in{number}", self._ncnn.Mat(array).clone()) != 0:
                    raise BackendError(f"ncnn stopped on {self.device} at the input '{port.name}'")
            outputs = {}
            for number, port in enumerate(self.outputs):
                code, found = extractor.extract(f"out{number}")
                if code != 0:
                    raise BackendError(f"ncnn stopped on {self.device}: its error {code}, no memory perhaps")
                outputs[port.name] = np.array(found, np.float32, copy=True)[None]
        return outputs

    def close(self) -> None:
        """See `Backend.close`."""
        if self._network is not None:
            self._network.clear()
        self._network = None


def describe_library() -> str:
    """See `backends.describe_library`."""
    ncnn = import_ncnn()
    return f"{version('ncnn')}, devices: {'vulkan, ' if vulkan_gpus(ncnn) else ''}cpu"


def import_ncnn() -> Any:
    """The module, whose threads sleep between layers. Raises MissingExtraError."""
    # Its OpenMP reads this once, while it loads. By itself it spins: on two cores that are busy besides, a StarGAN then
    # took 5900 ms instead of 200, and camera and encoder went without.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        with no_printing():
            import ncnn
    except ImportError:
        raise MissingExtraError("ncnn", "ncnn") from None
    return ncnn


def vulkan_gpus(ncnn: Any) -> int:
    """How many GPUs have a Vulkan driver; what draws on the CPU is none."""
    with no_printing():
        count = int(ncnn.get_gpu_count())
        return sum(ncnn.get_gpu_info(number).type() != _SOFTWARE for number in range(count))


_SOFTWARE = 3  # VK_PHYSICAL_DEVICE_TYPE_CPU in ncnn's numbers


def _ports(specs: tuple[TensorSpec, ...], names: list[str], side: str) -> tuple[Port, ...]:
    """The card's ports if the file has as many as it says; else those of the file, which `check_ports` refuses."""
    if sorted(names) == sorted(f"{side}{number}" for number in range(len(specs))):
        return tuple(Port(spec.name, "float32", _shape(spec)) for spec in specs)
    return tuple(Port(name, "float32", ()) for name in names)


def _shape(spec: TensorSpec) -> tuple[int | None, ...]:
    return tuple(axis if isinstance(axis, int) else None for axis in spec.shape)
