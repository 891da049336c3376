"""The networks of `tiny_models` in PyTorch, for converters that read no ONNX; run as a program, it writes `litert/`.

python -m support.models.tiny_programs         # in tests/, where litert-torch is installed
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from torch.export import ExportedProgram

from edgegan.export.mobile import litert
from edgegan.export.mobile.program import trace_program
from edgegan.runtime.model.artefact import Artefact, load
from support import tiny_models

KEPT = Path(__file__).with_name("litert")  # what litert-torch made of the editor and its classifier


class _Editor(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("colours", torch.from_numpy(tiny_models.COLOURS))

    def forward(self, image: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        return (image + (label @ self.colours)[:, :, None, None]).clamp(-1, 1)


class _Classifier(torch.nn.Module):
    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(20.0 * image.mean((2, 3)))


class _Negative(torch.nn.Module):
    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return -image


NETWORKS = {"tiny-editor": _Editor, "tiny-classifier": _Classifier, "tiny-negative": _Negative}


def program(found: Artefact) -> ExportedProgram:
    """The network of an artefact that `tiny_models` wrote."""
    return trace_program(NETWORKS[found.card.name](), found.card)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        editor = load(tiny_models.write_editor(Path(folder)))
        for artefact in (editor, load(editor.path.with_name("classifier.onnx"))):
            made = litert.save(program(artefact), artefact.card, Path(folder) / f"{artefact.card.name}.tflite")
            (KEPT / made.path.name).write_bytes(made.path.read_bytes())
