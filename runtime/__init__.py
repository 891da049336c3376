"""The torch-free half of edgegan: models by their cards, faces, and live editing, for use in any program.

    from edgegan.runtime import Editor
    with Editor.open("model.onnx") as editor:
        out = editor.edit(frame_bgr_uint8, {"Blond_Hair": 1.0})

Names are loaded when they are first used: importing this module costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .backends import BACKENDS as BACKENDS
    from .backends import Backend as Backend
    from .backends import open_backend as open_backend
    from .backends.selection import Selection as Selection
    from .edit.aio import AsyncEditor as AsyncEditor
    from .edit.device.editor import DeviceEditor as DeviceEditor
    from .edit.editor import Editor as Editor
    from .edit.pool import EditorPool as EditorPool
    from .errors import BackendError as BackendError
    from .errors import CardError as CardError
    from .errors import EdgeganError as EdgeganError
    from .errors import InputError as InputError
    from .errors import MissingExtraError as MissingExtraError
    from .faces import Face as Face
    from .faces.finder import FaceFinder as FaceFinder
    from .faces.options import FaceOptions as FaceOptions
    from .faces.tracking import Sighting as Sighting
    from .faces.tracking import Track as Track
    from .faces.tracking import Tracker as Tracker
    from .generate.sampler import Sampler as Sampler
    from .live.frame_clock import FrameClock as FrameClock
    from .live.session import LiveSession as LiveSession
    from .live.sink import Callback as Callback
    from .live.sinks import open_sink as open_sink
    from .live.source import Frame as Frame
    from .live.sources import open_source as open_source
    from .live.stream import Stream as Stream
    from .metrics.live import LiveStatistics as LiveStatistics
    from .metrics.live import LiveTally as LiveTally
    from .metrics.tally import Statistics as Statistics
    from .model.artefact import Artefact as Artefact
    from .model.artefact import load as load
    from .model.card import ModelCard as ModelCard
    from .model.image import postprocess as postprocess
    from .model.image import preprocess as preprocess

_MODULES = {
    "Artefact": "model.artefact",
    "AsyncEditor": "edit.aio",
    "BACKENDS": "backends",
    "Backend": "backends",
    "BackendError": "errors",
    "Callback": "live.sink",
    "CardError": "errors",
    "DeviceEditor": "edit.device.editor",
    "EdgeganError": "errors",
    "Editor": "edit.editor",
    "EditorPool": "edit.pool",
    "Face": "faces",
    "FaceFinder": "faces.finder",
    "FaceOptions": "faces.options",
    "Frame": "live.source",
    "FrameClock": "live.frame_clock",
    "InputError": "errors",
    "LiveSession": "live.session",
    "LiveStatistics": "metrics.live",
    "LiveTally": "metrics.live",
    "MissingExtraError": "errors",
    "ModelCard": "model.card",
    "Sampler": "generate.sampler",
    "Selection": "backends.selection",
    "Sighting": "faces.tracking",
    "Statistics": "metrics.tally",
    "Stream": "live.stream",
    "Track": "faces.tracking",
    "Tracker": "faces.tracking",
    "load": "model.artefact",
    "open_backend": "backends",
    "open_sink": "live.sinks",
    "open_source": "live.sources",
    "postprocess": "model.image",
    "preprocess": "model.image",
}

__all__ = [
    "BACKENDS",
    "Artefact",
    "AsyncEditor",
    "Backend",
    "BackendError",
    "Callback",
    "CardError",
    "DeviceEditor",
    "EdgeganError",
    "Editor",
    "EditorPool",
    "Face",
    "FaceFinder",
    "FaceOptions",
    "Frame",
    "FrameClock",
    "InputError",
    "LiveSession",
    "LiveStatistics",
    "LiveTally",
    "MissingExtraError",
    "ModelCard",
    "Sampler",
    "Selection",
    "Sighting",
    "Statistics",
    "Stream",
    "Track",
    "Tracker",
    "load",
    "open_backend",
    "open_sink",
    "open_source",
    "postprocess",
    "preprocess",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    value = getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
