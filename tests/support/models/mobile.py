"""The tiny models of `tiny_models` in the formats of small runtimes, by the real converters."""

from __future__ import annotations

import msgspec
import onnx

from edgegan.export import verify_artefact
from edgegan.export.mobile import mnn, ncnn
from edgegan.runtime.model import golden
from edgegan.runtime.model.artefact import Artefact
from support.needed import there

# Backend -> (what writes its files, what they end in), where its packages are.
FORMATS = {
    name: (save, suffix)
    for name, save, suffix, packages in (
        ("mnn", mnn.save, ".mnn", {"MNN": "mnn"}),
        ("ncnn", ncnn.save, ".ncnn.param", {"ncnn": "ncnn", "pnnx": "ncnn-export"}),
    )
    if all([there(package, extra) for package, extra in packages.items()])
}


def write_form(found: Artefact, name: str) -> Artefact:
    """Writes the form of an ONNX artefact for a backend beside it, verified on the golden pairs if there are any."""
    save, suffix = FORMATS[name]
    model = onnx.load(str(found.path))
    del model.metadata_props[:]
    made = save(model, found.card, found.path.with_name(found.path.name.replace(".onnx", suffix)))
    if golden.beside(made) is None:
        return made
    card = msgspec.structs.replace(made.card, verification=verify_artefact(made, backends=(name,)))
    card.write(made.path)
    return Artefact(made.path, card)
