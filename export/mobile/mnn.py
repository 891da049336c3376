"""The MNN form: float32 ONNX -> .mnn, by the converter that comes with MNN."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from edgegan.runtime.model.artefact import Artefact
from edgegan.runtime.model.card import ModelCard

from .converter import check_floats, convert, give_onnx

_CALL = "import _tools, sys; _tools.mnnconvert(['mnnconvert', *sys.argv[1:]])"  # past its wrapper, which reports use
_REFUSED = r"These Op Not Support:((?: *ONNX::\w+)+)"


def save(model: Any, card: ModelCard, path: Path) -> Artefact:
    """Writes an onnx.ModelProto as `path` (.mnn) with its card; raises what `convert` does."""
    check_floats(card, "mnn")

    def command(given: Path, made: Path) -> list[str]:
        asked = ["-f", "ONNX", "--modelFile", str(given), "--MNNModel", str(made), "--bizCode", "edgegan"]
        return [sys.executable, "-c", _CALL, *asked, "--keepInputFormat"]

    return convert(give_onnx(model), card, path, command, tool="MNN's converter", refused=_REFUSED, form="mnn")
