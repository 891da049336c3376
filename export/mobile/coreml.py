"""The Core ML form: a torch.export program -> .mlpackage, by coremltools, which needs no Mac for that."""

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

_PROGRAM = Path(__file__).parent / "apart" / "to_coreml.py"
_REFUSED = r"(?:convert function for op '|Unsupported fx node )(\w+)"


def save(program: ExportedProgram, card: ModelCard, path: Path) -> Artefact:
    """Writes a program as `path` (.mlpackage), a folder; raises what `convert` does."""
    check_floats(card, "coreml")

    def command(given: Path, made: Path) -> list[str]:
        return [sys.executable, str(_PROGRAM), str(given), str(made), *(spec.name for spec in card.outputs)]

    return convert(give_program(program), card, path, command, tool="coremltools", refused=_REFUSED, form="coreml")
