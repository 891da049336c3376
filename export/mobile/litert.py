"""The LiteRT form: a torch.export program -> .tflite, by litert-torch."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edgegan.runtime.model.artefact import Artefact
from edgegan.runtime.model.card import ModelCard

from .converter import check_floats, convert
from .program import give_program

if TYPE_CHECKING:
    from torch.export import ExportedProgram

_PROGRAM = Path(__file__).parent / "apart" / "to_litert.py"
_REFUSED = r"(?:Lowering not found: aten\.|failed to legalize operation 'mhlo\.)(\w+)"


def save(program: ExportedProgram, card: ModelCard, path: Path) -> Artefact:
    """Writes a program as `path` (.tflite), whose signature has the program's names; raises what `convert` does."""
    check_floats(card, "litert")

    def command(given: Path, made: Path) -> list[str]:
        return [sys.executable, str(_PROGRAM), str(given), str(made)]

    return convert(give_program(program), card, path, command, tool="litert-torch", refused=_REFUSED, form="litert")
