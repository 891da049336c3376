"""The models of a page: small ONNX files that are held against their golden pairs, and pairs for the browser."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from edgegan.runtime.errors import InputError, MissingExtraError, VerifyError
from edgegan.runtime.faces.finder import MODEL as DETECTOR
from edgegan.runtime.files import sha256
from edgegan.runtime.model import fidelity, golden
from edgegan.runtime.model.artefact import Artefact, suffix
from edgegan.runtime.model.card import ModelCard, TensorSpec
from edgegan.runtime.model.golden import Golden
from numpy.typing import NDArray

from .blazeface import convert_detector
from .weights import halve_weights

if TYPE_CHECKING:
    import onnx

# Of each golden pair, here and in the browser, by the model's role. What the classifier says is rounded to yes or no.
MIN_PSNR_DB = {"model": 60.0, "classifier": 40.0, "faces": 60.0}
_PAIRS = 2  # that the browser runs before it shows anything


@dataclass(frozen=True)
class PageModel:
    """One model in the page's folder.

    about: what site.json says of it.
    card: of the file as it is there; None for the detector.
    """

    about: dict[str, Any]
    card: ModelCard | None = None


def write_model(artefact: Artefact, role: str, site: Path) -> PageModel:
    """Writes the model with weights of half their size into the folder `site`, and two golden pairs beside it.

    Raises:
        InputError: the artefact is none that a page can run.
        CardError: it has no golden pairs.
        VerifyError: with such weights it does not reproduce its golden pairs.
    """
    import onnx

    card = artefact.card
    if suffix(artefact.path) != ".onnx" or any(s.dtype != "float32" for s in (*card.inputs, *card.outputs)):
        raise InputError(
            f"{artefact.path} is no ONNX file with float32 inputs and outputs",
            "the main file of an export: model.onnx, made without --io uint8",
        )
    pairs = golden.beside(artefact)
    if pairs is None:
        raise InputError(
            f"no golden pairs lie beside {artefact.path}",
            "golden.npz: the page runs no model that it cannot check",
            "copy the whole export folder, or export again",
        )
    made = halve_weights(onnx.load(str(artefact.path)))
    session = _session(made)
    names = [out.name for out in session.get_outputs()]
    found = fidelity.measure(
        lambda given: dict(zip(names, session.run(None, dict(given)), strict=True)),
        pairs,
        card.outputs,
        card.inputs,
        {"min_psnr_db": MIN_PSNR_DB[role]},
    )
    if found.status != "passed":
        raise VerifyError(f"{artefact.path} with its weights as float16: {found.reason}", todo="export it again")
    about = _write(made, role, pairs, card.outputs, site)
    path = site / about["file"]
    card = msgspec.structs.replace(
        card.lasting, payload_sha256=sha256(path), verification={"onnxruntime": found}, companions=_companions(card)
    )
    card.write(path)
    return PageModel(about, card)


def write_detector(site: Path) -> PageModel:
    """Writes the face detector as ONNX, and one pair of what it makes of noise."""
    made = halve_weights(convert_detector(DETECTOR))
    noise = np.random.default_rng(0).uniform(-1.0, 1.0, (1, 3, 128, 128)).astype(np.float32)
    session = _session(made)
    outputs = dict(zip(("places", "scores"), session.run(["places", "scores"], {"image": noise}), strict=True))
    specs = tuple(
        # The range in which an error counts: that of pixels of the network, and that of logits that decide.
        TensorSpec(name=name, dtype="float32", shape=value.shape, layout="NC", value_range=(-limit, limit))
        for (name, value), limit in zip(outputs.items(), (64.0, 8.0), strict=True)
    )
    return PageModel(_write(made, "faces", Golden({"image": noise}, outputs), specs, site))


def _companions(card: ModelCard) -> dict[str, str]:
    """The helpers' names in the page's folder, which are those of their roles."""
    return {role: f"{role}.onnx" for role in card.companions}


def _session(model: onnx.ModelProto) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise MissingExtraError("onnxruntime", "cpu") from None
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def _write(
    model: onnx.ModelProto, role: str, pairs: Golden, outputs: tuple[TensorSpec, ...], site: Path
) -> dict[str, Any]:
    folder = site / "model"
    folder.mkdir(exist_ok=True)
    file = folder / f"{role}.onnx"
    file.write_bytes(model.SerializeToString())

    def save(side: str, index: int, arrays: dict[str, NDArray[Any]]) -> dict[str, Any]:
        about: dict[str, Any] = {}
        for name, array in arrays.items():
            values = np.ascontiguousarray(array[index : index + 1], "<f4")
            path = folder / f"{role}.{index}.{side}.{len(about)}.f32"
            path.write_bytes(values.tobytes())
            about[name] = {"file": path.relative_to(site).as_posix(), "dims": list(values.shape)}
        return about

    chosen = range(min(_PAIRS, len(pairs)))
    return {
        "file": file.relative_to(site).as_posix(),
        "pairs": [{"input": save("in", i, pairs.inputs), "expected": save("out", i, pairs.outputs)} for i in chosen],
        "outputs": {spec.name: _range(spec) for spec in outputs},
        "min_psnr_db": MIN_PSNR_DB[role],
    }


def _range(spec: TensorSpec) -> list[float]:
    """The range over which errors are measured, as `fidelity.compare` takes it."""
    low, high = spec.value_range or (0.0, 1.0)
    return [low, high]
