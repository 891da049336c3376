"""What the tests of exports look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgegan.export import Exported, Request, export_run
from edgegan.runtime.model.artefact import Artefact, load
from edgegan.train.folder.run import Run, open_trained

BACKENDS = ("onnxruntime", "openvino")
TRAINED = Path(__file__).parents[3] / "models" / "avatars-128"


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    """A trained StarGAN of 14 convolutions, whose label is joined to the picture; its golden pairs lie beside it."""
    out = tmp_path_factory.mktemp("trained")
    export_run(Request(TRAINED, out, data="avatars:64", pictures=8, precisions=("fp32",), formats=("onnx",)))
    return load(out / "model.onnx")


def onnx_files(done: Exported) -> list[Path]:
    """The ONNX files of an export, in order."""
    return sorted(done.folder.rglob("*.onnx"))


def specs(run: Run) -> dict[str, Any]:
    """What a run exports, by `folder/name`."""
    _, nets, _ = open_trained(run.folder)
    return {f"{s.folder}/{s.name}".lstrip("/"): s for s in run.family.exportable(run.cfg, nets, run.data)}
