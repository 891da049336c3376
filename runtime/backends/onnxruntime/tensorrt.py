"""ONNX Runtime with its TensorRT provider: an ONNX file in, an engine built and kept on this machine."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, ClassVar

from ...errors import InputError
from ...files import cache_folder, sha256
from ...model.artefact import Artefact
from ...model.card import ModelCard
from ..device import gpu_number
from ..fit import find_package_version
from ..profiles import profile
from .backend import OnnxRuntime, import_onnxruntime
from .cuda import OPEN_AXES, CudaOptions, has_open_axes
from .gpu import TENSORRT, check_gpu, check_provider, open_session

PACKAGES = ("onnxruntime-gpu", "tensorrt", "tensorrt-cu13", "tensorrt-cu12")
_SLOW_S = 5.0  # a load that took longer has built an engine
_TF32 = "NVIDIA_TF32_OVERRIDE"


class OnnxRuntimeTensorRT(OnnxRuntime):
    """TensorRT through ONNX Runtime, behind the contract of `Backend`; no node runs outside TensorRT.

    The first load builds an engine, which takes seconds to minutes; it lies in the per-user cache from then on, under
    the hash of the model and the versions. The network is strongly typed: an fp16 file runs in fp16, and no other.
    """

    name: ClassVar[str] = "onnxruntime-tensorrt"
    devices: ClassVar[tuple[str, ...]] = ("cuda",)

    def _open(
        self, ort: Any, artefact: Artefact, device: str, threads: int | None, cuda: CudaOptions | None
    ) -> tuple[Any, tuple[str, ...]]:
        del threads, cuda  # the network runs in TensorRT alone
        number = gpu_number(device)
        check_provider(ort, TENSORRT)
        check_gpu(number)
        folder = engine_folder(artefact, ort.__version__)
        entries = provider_options(artefact.card, number, folder)
        notices = [OPEN_AXES] if has_open_axes(artefact.card) else []
        if artefact.card.precision == "fp32" and os.environ.get(_TF32) != "0":
            notices.append(
                f"TensorRT may round float32 products to TF32, and ONNX Runtime cannot forbid it: set {_TF32}=0 before"
            )
        began = time.monotonic()
        session = open_session(ort, artefact, TENSORRT, entries, open_axes=has_open_axes(artefact.card))
        seconds = time.monotonic() - began
        if seconds > _SLOW_S:
            notices.append(f"TensorRT built its engine in {seconds:.0f} s; it is kept in {folder}")
        return session, tuple(notices)


def provider_options(card: ModelCard, number: int, folder: Path) -> dict[str, str]:
    """The provider's options, by their names in ONNX Runtime 1.19 to 1.31. Raises CardError for an unbounded axis."""
    entries = {
        "device_id": str(number),
        # With neither, the network is strongly typed: each layer has the type that the file gives it, Q/DQ included.
        "trt_fp16_enable": "False",
        "trt_int8_enable": "False",
        "trt_engine_cache_enable": "True",
        "trt_engine_cache_path": str(folder),
        "trt_timing_cache_enable": "True",
        "trt_timing_cache_path": str(folder.parent),  # of this machine, whatever the model
        "trt_cuda_graph_enable": str(not has_open_axes(card)),
    }
    shapes = profile(card)
    for which, name in enumerate(("min", "opt", "max")):
        if shapes:
            each = (f"{input_}:{'x'.join(map(str, found[which]))}" for input_, found in shapes.items())
            entries[f"trt_profile_{name}_shapes"] = ",".join(each)
    return entries


def engine_folder(artefact: Artefact, version: str) -> Path:
    """Where the engines of `artefact` are kept, made for this user alone: an engine is executable content.

    ONNX Runtime names an engine by the graph, not by its weights; the hash of the file is therefore in the path, and
    so are the versions of both libraries. Raises InputError if the folder cannot be made.
    """
    payload = artefact.card.payload_sha256 or sha256(artefact.path)
    folder = cache_folder() / "onnxruntime-tensorrt" / f"{version}-{_tensorrt_version()}" / payload[:32]
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise InputError(f"cannot keep engines in {folder}: {error.strerror}", todo="set XDG_CACHE_HOME") from error
    return folder


def describe_library() -> str:
    """See `backends.describe_library`."""
    ort = import_onnxruntime()
    check_provider(ort, TENSORRT)
    check_gpu(0)
    return f"{ort.__version__}, TensorRT {_tensorrt_version()}, devices: cuda"


def _tensorrt_version() -> str:
    """That of pip's package, else "system": what the system's package manager brought."""
    return find_package_version("tensorrt") or "system"
