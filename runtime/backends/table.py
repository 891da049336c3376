"""The one table of backends, each of which is imported when it is first wanted."""

from __future__ import annotations

import importlib
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ..model.artefact import suffix
from .contract import Backend

_HERE = __name__.rpartition(".")[0]
# In the order in which they are asked, other things being equal. Each module is imported when first wanted.
BACKENDS = {
    "tensorrt": f"{_HERE}.tensorrt.backend:TensorRT",
    "onnxruntime": f"{_HERE}.onnxruntime.backend:OnnxRuntime",
    "onnxruntime-tensorrt": f"{_HERE}.onnxruntime.tensorrt:OnnxRuntimeTensorRT",
    "openvino": f"{_HERE}.openvino.backend:OpenVino",
    "mnn": f"{_HERE}.mnn.backend:Mnn",
    "ncnn": f"{_HERE}.ncnn.backend:Ncnn",
    "litert": f"{_HERE}.litert.backend:LiteRT",
}


def takes(backend: str, path: Path) -> bool:
    """Whether `backend` can load files like `path`."""
    return suffix(path) in backend_class(backend).suffixes


def backend_class(name: str) -> type[Backend]:
    """The class behind a name of BACKENDS, not opened."""
    module, _, kind = BACKENDS[name].partition(":")
    found: type[Backend] = getattr(importlib.import_module(module), kind)
    return found


def version_here(name: str) -> str:
    """The installed packages behind a backend with their versions, without loading them; "" if there are none."""
    found = []
    for package in importlib.import_module(BACKENDS[name].partition(":")[0]).PACKAGES:
        with suppress(PackageNotFoundError):
            found.append(f"{package} {version(package)}")
    return ", ".join(found)


def describe_library(name: str) -> str:
    """The version of a backend's library and the devices it sees; raises EdgeganError if it cannot run here."""
    words: str = importlib.import_module(BACKENDS[name].partition(":")[0]).describe_library()
    return words
