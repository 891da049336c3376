"""The tiny models of `tiny_models` in the formats of small runtimes, by the real converters."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import msgspec
import onnx

from edgegan.export import verify_artefact
from edgegan.export.mobile import litert, mnn, ncnn
from edgegan.runtime.model import golden
from edgegan.runtime.model.artefact import Artefact, payload_sha256
from support.models.tiny_programs import KEPT, program
from support.needed import there

SUFFIXES = {"mnn": ".mnn", "ncnn": ".ncnn.param", "litert": ".tflite"}
MODULES = {"mnn": "MNN", "ncnn": "ncnn", "litert": "ai_edge_litert"}
# The backends whose library is here; of these, what writes its files where its converter is here too.
BACKENDS = [name for name, module in MODULES.items() if there(module, name)]
SAVE: dict[str, Any] = {
    name: save
    for name, save, found in (
        ("mnn", mnn.save, True),
        ("ncnn", ncnn.save, "ncnn" in BACKENDS and there("pnnx", "ncnn-export")),
        ("litert", litert.save, find_spec("litert_torch") is not None),  # a gigabyte, and so not part of `all`
    )
    if name in BACKENDS and found
}


def network(found: Artefact, name: str) -> Any:
    """The network of an ONNX artefact of `tiny_models` as `SAVE[name]` takes it."""
    if name == "litert":
        return program(found)
    model = onnx.load(str(found.path))
    del model.metadata_props[:]
    return model


def write_form(found: Artefact, name: str) -> Artefact:
    """Writes the form of an ONNX artefact for a backend beside it, verified on the golden pairs if there are any.

    A LiteRT file is copied from those that are kept: its converter takes long, and is not everywhere.
    """
    path = found.path.with_name(found.path.name.replace(".onnx", SUFFIXES[name]))
    if name == "litert":
        path.write_bytes((KEPT / f"{found.card.name}.tflite").read_bytes())
        made = Artefact(path, msgspec.structs.replace(found.card.lasting, payload_sha256=payload_sha256(path)))
        made.card.write(path)
    else:
        made = SAVE[name](network(found, name), found.card, path)
    if golden.beside(made) is None:
        return made
    card = msgspec.structs.replace(made.card, verification=verify_artefact(made, backends=(name,)))
    card.write(made.path)
    return Artefact(made.path, card)
