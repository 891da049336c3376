"""What had a hand in an artefact: versions, the machine, and what its precision left in a larger one."""

from __future__ import annotations

from typing import Literal

import msgspec

Shape = tuple[int, ...]
ShapeRange = tuple[Shape, Shape, Shape]  # the smallest, the usual and the largest shape of one input
Profile = dict[str, ShapeRange]  # by input name


class EngineInfo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How an engine was built, and where it runs: what loading it compares with the machine."""

    library: Literal["tensorrt", "tensorrt_rtx"]
    version: str  # of the library, such as "10.13.0"
    compute_capabilities: tuple[str, ...] = ()  # such as ("8.6", "8.9")
    half_layers: int = 0  # computing layers in float16, as counted in the network before it was built
    int8_layers: int = 0
    workspace_mib: int | None = None
    optimization_level: int | None = None  # of TensorRT's builder, where one was asked for
    hardware_compatibility: str = "none"  # "ampere_plus" and "same_compute_capability" let other GPUs run it
    version_compatible: bool = False  # newer versions of the library may run it
    dla_core: int | None = None  # the Deep Learning Accelerator that runs what it can; the GPU runs the rest
    dla_layers: int = 0  # that the builder found fit for it, of all layers of the network
    gpu: str = ""  # the one that it was built on, where there was one
    driver: str = ""
    cuda: str = ""  # the newest CUDA that the driver served
    profile: Profile = msgspec.field(default_factory=dict)  # of inputs with open axes


class BuildInfo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The facts of one artefact's making."""

    versions: dict[str, str] = msgspec.field(default_factory=dict)  # of Python and packages, by their names in pip
    system: str = ""  # operating system and processor, such as "Linux x86_64"
    half_weights: float | None = None  # the share of the weights that is float16, from 0 to 1
    half_operators: tuple[int, int] | None = None  # so many in float16, of so many
    fp32_nodes: tuple[str, ...] = ()  # ONNX nodes that are float32 on purpose, in a float16 file
    float_layers: tuple[str, ...] = ()  # layers that were left out of INT8
    engine: EngineInfo | None = None
