"""What the tests of exports look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgegan.export import Exported
from edgegan.train.folder.run import Run, open_trained

BACKENDS = ("onnxruntime", "openvino")


def onnx_files(done: Exported) -> list[Path]:
    """The ONNX files of an export, in order."""
    return sorted(done.folder.rglob("*.onnx"))


def specs(run: Run) -> dict[str, Any]:
    """What a run exports, by `folder/name`."""
    _, nets, _ = open_trained(run.folder)
    return {f"{s.folder}/{s.name}".lstrip("/"): s for s in run.family.exportable(run.cfg, nets, run.data)}
