"""The ncnn form: float32 ONNX -> .ncnn.param and .ncnn.bin, by pnnx."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from edgegan.runtime.errors import InputError, MissingExtraError
from edgegan.runtime.model.artefact import Artefact
from edgegan.runtime.model.card import ModelCard

from .converter import check_floats, convert, give_onnx

_REFUSED = r"(?:unexpected op_type|todo|no such function with name) +(\w+)"


def save(model: Any, card: ModelCard, path: Path) -> Artefact:
    """Writes an onnx.ModelProto as `path` (.ncnn.param) and the .bin beside it, with the card of both.

    Raises what `convert` does, and InputError for a model of several pictures a call, which ncnn does not know.
    """
    check_floats(card, "ncnn")
    if card.batch != (1, 1):
        raise InputError(f"{card.name} takes {card.batch[0]} pictures a call", "ncnn takes one", "leave --batch out")
    shapes = ",".join(f"[{','.join(map(str, spec.shape))}]f32" for spec in card.inputs)

    def command(given: Path, made: Path) -> list[str]:
        asked = [f"inputshape={shapes}", "fp16=0", f"ncnnparam={made}", f"ncnnbin={made.with_suffix('.bin')}"]
        return [str(_pnnx()), str(given), *asked]

    return convert(
        give_onnx(model), card, path, command, tool="pnnx", refused=_REFUSED, suffixes=(".bin",), form="ncnn"
    )


def _pnnx() -> Path:
    """The program in its package, which imports torch where all that is wanted is the program beside it."""
    found = importlib.util.find_spec("pnnx")
    if found is None or found.origin is None:
        raise MissingExtraError("pnnx", "ncnn-export")
    folder = Path(found.origin).parent
    return next((path for path in (folder / "pnnx", folder / "pnnx.exe") if path.is_file()), folder / "pnnx")
