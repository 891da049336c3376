"""Writes the graphs: `python -m edgegan.export.frames.write [FOLDER]`. Needs onnx.

Each file holds a card of its own and is sealed with its own hash, so that the runtime opens it as any other model.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from edgegan.runtime.files import write_atomic
from edgegan.runtime.model.card import METADATA_KEY, ModelCard, SizeRule, TensorSpec
from edgegan.runtime.model.onnxfile import seal_model, with_metadata
from edgegan.runtime.shipped import FRAMES

from .cut import write_cut, write_reduce
from .form import FORMS
from .paste import write_paste

if TYPE_CHECKING:
    import onnx

_HEADER = '<ir_version: 8, opset_import: ["" : 17]>'
_ABOUT = "a step of editing frames on a GPU, no model: edgegan.runtime.DeviceEditor runs it"


def graphs() -> Iterator[tuple[str, str]]:
    """The name and the text of every graph."""
    yield "reduce", write_reduce()
    for form in FORMS:
        yield f"cut-{form}", write_cut(form)
        yield f"paste-{form}", write_paste(form, matched=False)
        yield f"paste-matched-{form}", write_paste(form, matched=True)


def build(name: str, text: str) -> bytes:
    """The file of one graph; the same bytes from the same text."""
    import onnx.checker
    import onnx.parser

    model = onnx.parser.parse_model(_HEADER + text)
    onnx.checker.check_model(model, full_check=True)
    card = ModelCard(
        name=name,
        family="frames",
        task="translate",
        limits=_ABOUT,
        inputs=tuple(_spec(value) for value in model.graph.input),
        outputs=tuple(_spec(value) for value in model.graph.output),
        size=SizeRule(kind="multiple_of", hw=(64, 64)),
        opset=17,
    )
    return seal_model(with_metadata(model.SerializeToString(deterministic=True), METADATA_KEY, card.to_json().decode()))


def _spec(value: onnx.ValueInfoProto) -> TensorSpec:
    import msgspec
    import numpy as np
    import onnx

    kind = value.type.tensor_type
    shape = tuple(axis.dim_param or axis.dim_value for axis in kind.shape.dim)
    dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)).name
    # None of them is a picture as a card means it: those of a network have a layout and a range.
    return msgspec.convert({"name": value.name, "dtype": dtype, "shape": shape, "layout": "NC"}, TensorSpec)


def main(folder: Path = FRAMES) -> None:
    """Writes all files anew."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in graphs():
        write_atomic(folder / f"{name}.onnx", build(name, text))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
