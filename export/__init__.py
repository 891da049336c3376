"""From a trained run to checked artefacts: ONNX and OpenVINO files, TensorRT engines, cards, golden pairs.

`export_run` does all of it for a run or a checkpoint. `engine_from_onnx` and `verify_artefact` need no torch, so
they also work on the machine that will run the model. No module here knows a family by name.
"""

from __future__ import annotations

from .request import Request, Row, parse_batch, parse_size
from .run import Exported, export_run
from .trt.artefact import engine_from_onnx
from .trt.options import EngineOptions
from .verify.check import verify_artefact

__all__ = [
    "EngineOptions",
    "Exported",
    "Request",
    "Row",
    "engine_from_onnx",
    "export_run",
    "parse_batch",
    "parse_size",
    "verify_artefact",
]
