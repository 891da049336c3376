"""ONNX -> TensorRT engine bytes, strongly typed and proven float16. For TensorRT 10.3 to 11 and TensorRT for RTX.

All of them take the precision from the ONNX file alone, so that a float32 file gives a float32 engine without a
word: the proof reads the types of the parsed network before anything is built. Needs no torch.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgegan.runtime.backends.trt import logger
from edgegan.runtime.errors import BackendError, InputError, MissingExtraError, VerifyError

Progress = Callable[[str, int, int], None]  # (what, steps done, steps in all)

OLDEST, TOO_NEW = (10, 3), (12, 0)  # of TensorRT proper; 10.2 builds wrong engines
# Where the arithmetic is. What only moves values (slices, concatenations, casts) has the type of what it moves.
COMPUTE = (
    "ACTIVATION",
    "CONVOLUTION",
    "DECONVOLUTION",
    "EINSUM",
    "ELEMENTWISE",
    "MATRIX_MULTIPLY",
    "NORMALIZATION",
    "PARAMETRIC_RELU",
    "POOLING",
    "REDUCE",
    "SCALE",
    "SOFTMAX",
    "UNARY",
)
_WHOLE = ("BOOL", "INT32", "INT64", "INT4", "INT8", "UINT8")


@dataclass(frozen=True)
class Built:
    """A serialised engine, as pure bytes, and what the proof counted in its network."""

    data: bytes
    half_layers: int
    float_layers: tuple[str, ...]  # those deliberately kept in float32


def library(name: str) -> Any:
    """The module `tensorrt` or `tensorrt_rtx`; raises MissingExtraError, or BackendError for an unfit version."""
    try:
        module = importlib.import_module(name)
    except ImportError:
        raise MissingExtraError(name, {"tensorrt": "gpu"}.get(name, "rtx")) from None
    seen = tuple(int(n) for n in re.findall(r"\d+", module.__version__)[:2])
    if name == "tensorrt" and not OLDEST <= seen < TOO_NEW:
        raise BackendError(
            f"TensorRT {module.__version__} is installed",
            "edgegan builds engines with TensorRT 10.3 to 11",
            "run: pip install 'tensorrt>=10.3,<12'",
        )
    return module


def build_engine(
    trt: Any,
    onnx_path: Path,
    *,
    keep_fp32: Collection[str] = (),
    targets: Collection[str] = (),
    on_progress: Progress | None = None,
) -> Built:
    """Builds a strongly typed float16 engine of a static ONNX file.

    Args:
        trt: the library, from `library`.
        onnx_path: the float16 ONNX file.
        keep_fp32: ONNX nodes that are deliberately float32.
        targets: compute capabilities to build for, such as "8.6" (TensorRT for RTX); empty means this machine's GPU.
        on_progress: told of every step, perhaps from a thread of TensorRT's; must not raise.

    Raises:
        InputError: TensorRT cannot read the file; the message names the node.
        VerifyError: the network is not float16.
        BackendError: the build failed.
    """
    log = logger(trt)
    builder = trt.Builder(log)
    if builder is None:
        raise BackendError(f"TensorRT cannot start: {log.last or 'no reason given'}", todo="check the NVIDIA driver")
    # Version 11 knows no other kind of network; where the flag is still there, 10 needs it.
    flag = getattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
    network = builder.create_network(1 << int(flag) if flag is not None else 0)
    parser = trt.OnnxParser(network, log)
    if not parser.parse(onnx_path.read_bytes()):
        raise _unreadable(onnx_path, parser, log)
    half, kept = prove_half(trt, network, keep_fp32, onnx_path.name)
    config = builder.create_builder_config()
    if hasattr(trt.BuilderFlag, "TF32"):
        config.clear_flag(trt.BuilderFlag.TF32)  # what is kept in float32 shall be float32
    if targets:
        config.num_compute_capabilities = len(targets)
        for i, target in enumerate(targets):
            config.set_compute_capability(getattr(trt.ComputeCapability, "SM" + target.replace(".", "")), i)
    monitor = _monitor(trt, on_progress) if on_progress is not None else None
    if monitor is not None:
        config.progress_monitor = monitor
    data = builder.build_serialized_network(network, config)
    if data is None:
        raise BackendError(f"TensorRT built no engine of {onnx_path.name}: {log.last or 'no reason given'}")
    return Built(bytes(data), half, kept)


def prove_half(trt: Any, network: Any, keep_fp32: Collection[str], name: str) -> tuple[int, tuple[str, ...]]:
    """The number of float16 layers and the names of those kept in float32 on purpose.

    Raises VerifyError if any other layer that computes gives another floating type, or if none gives float16.
    """
    kinds = {getattr(trt.LayerType, kind) for kind in COMPUTE if hasattr(trt.LayerType, kind)}
    whole = {getattr(trt.DataType, name) for name in _WHOLE if hasattr(trt.DataType, name)}
    half, kept, wrong = 0, [], []
    for layer in (network.get_layer(i) for i in range(network.num_layers)):
        types = {layer.get_output_type(j) for j in range(layer.num_outputs)} - whole  # shapes are computed in integers
        if layer.type not in kinds or not types:
            continue
        if types == {trt.DataType.HALF}:
            half += 1
        elif _onnx_nodes(layer) & set(keep_fp32):
            kept.append(layer.name)
        else:
            wrong.append(f"{layer.name} ({layer.type.name.lower()}, {'/'.join(t.name for t in types)})")
    if wrong or not half:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        count = half + len(kept) + len(wrong)
        raise VerifyError(
            f"{name} is not a float16 network: {len(wrong)} of its {count} computing layers are not half",
            f"such as {', '.join(wrong[:3])}{more}" if wrong else "it has no layer in half at all",
            "give the float16 ONNX file (model.fp16.onnx)",
        )
    return half, tuple(kept)


def _onnx_nodes(layer: Any) -> set[str]:
    return {layer.name, *re.findall(r"\[ONNX Layer: ([^\]]+)\]", layer.metadata or "")}


def _unreadable(path: Path, parser: Any, log: Any) -> InputError:
    errors = [parser.get_error(i) for i in range(parser.num_errors)]
    words = [(f"node '{e.node_name()}' ({e.node_operator()}): " if e.node_name() else "") + e.desc() for e in errors]
    return InputError(f"TensorRT cannot read {path.name}: {'; '.join(words[:2]) or log.last or 'no reason given'}")


def _monitor(trt: Any, on_progress: Progress) -> Any:
    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self.steps: dict[str, int] = {}

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            self.steps[phase_name] = num_steps

        def step_complete(self, phase_name: str, step: int) -> bool:
            on_progress(phase_name, step + 1, self.steps.get(phase_name, step + 1))
            return True

        def phase_finish(self, phase_name: str) -> None:
            self.steps.pop(phase_name, None)

    return Monitor()
