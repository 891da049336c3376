"""A model on disk and its card, checked against each other before anything runs."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..commands import command
from ..errors import CardError, InputError
from ..shipped import list_models
from .card import METADATA_KEY, ModelCard, sidecar
from .onnxfile import MAX_ELEMENTS, SEAL_KEY, OnnxFile, content_sha256
from .onnxfile import read as read_onnx

SUFFIXES = {
    ".onnx": "an ONNX model",
    ".xml": "an OpenVINO model",
    ".engine": "a TensorRT engine",
    ".mnn": "an MNN model",
    ".param": "an ncnn model",
    ".tflite": "a LiteRT model",
}
_TWO_FILES = (".xml", ".param")  # the weights lie beside them, in a .bin
_EXPORT_AGAIN = "export the model again: edgegan export RUN"


def suffix(path: Path) -> str:
    """By which files are told apart, one of SUFFIXES for a model: cameras, Windows and FAT write `MODEL.ONNX`."""
    return path.suffix.lower()


def parts(path: Path) -> tuple[Path, ...]:
    """The files that a model at `path` consists of: itself and, of an OpenVINO or ncnn model, the .bin beside it."""
    return (path, path.with_suffix(".bin")) if suffix(path) in _TWO_FILES else (path,)


@dataclass(frozen=True)
class Artefact:
    """A model file with its card. `suffix` of its path is one of SUFFIXES.

    `of_folder`: a folder was named and not this file, so that `forms.forms` of it may be taken instead.
    """

    path: Path
    card: ModelCard
    of_folder: bool = field(default=False, compare=False)

    def companion(self, role: str) -> Artefact | None:
        """The model that helps this one in `role` ("classifier"), from the same folder; None if there is none.

        Raises CardError if the card names one that is not there.
        """
        name = self.card.companions.get(role)
        if name is None:
            return None
        path = self.path.parent / name
        if path.name != name or not path.is_file():
            raise CardError(
                f"{self.path}: its card names the {role} '{name}', which is not beside it",
                todo="copy the whole export folder, not one file of it",
            )
        return replace(load(path), of_folder=True)

    @property
    def golden(self) -> Path | None:
        """The golden pairs that lie beside the model, or None."""
        path = self.path.with_name("golden.npz")
        return path if path.is_file() else None


def load(path: str | Path) -> Artefact:
    """Finds a model and its card, and checks the file's hash against the card.

    `path` is a model file, an export folder (its `model.onnx` is taken), a run folder (with `export/`), or, where
    nothing lies at that path, the name of a model that comes with edgegan (`shipped.list_models`). The card
    is `<file>.card.json`, else, for ONNX, the one in the file's own metadata, which has no figures. The file's hash
    must be the sidecar's, or, for ONNX, the one that seals its own content: what nothing vouches for is not opened by
    any runtime.

    Raises:
        InputError: nothing there and no shipped model of that name, not a model, a file that is cut short or damaged,
            or one with weights elsewhere.
        CardError: no card, an unreadable one, one with sizes that cannot be, or a hash that is missing or differs.
    """
    model = _find(Path(path))
    of_folder = not Path(path).is_file()
    onnx = read_onnx(model) if suffix(model) == ".onnx" else None
    beside = sidecar(model)
    if beside.is_file():
        card = ModelCard.from_json(_content(beside), where=str(beside))
    elif onnx is not None and METADATA_KEY in onnx.metadata:
        # A file cannot say how it was measured once it was whole: older ones tried to.
        card = ModelCard.from_json(onnx.metadata[METADATA_KEY], where=str(model)).lasting
    else:
        todo = f"copy {beside.name} beside it, or {_EXPORT_AGAIN}"
        if onnx is not None:
            todo += "; for a model from elsewhere: edgegan adopt"
        raise CardError(f"{model} has no model card", f"a card in {beside.name}", todo)
    _check_hash(model, onnx, card, beside)
    _check_sizes(card, where=beside)
    _check_condition(card, where=beside)
    return Artefact(model, card, of_folder)


def payload_sha256(path: Path) -> str:
    """The hash a card holds: of the file's bytes, and then of those of the files that hold its weights.

    These are the .bin of an OpenVINO or ncnn model, and the external data of an ONNX file.
    """
    external = read_onnx(path).external if suffix(path) == ".onnx" else ()
    joined = hashlib.sha256()
    for part in (*parts(path), *external):
        try:
            with open(part, "rb") as file:
                while block := file.read(1 << 20):
                    joined.update(block)
        except OSError as error:
            todo = f"{SUFFIXES[suffix(path)]} is two files" if suffix(path) in _TWO_FILES else ""
            raise InputError(f"cannot read {part}: {error.strerror}", todo=todo) from error
    return joined.hexdigest()


def _find(path: Path) -> Path:
    if path.is_dir():
        for candidate in (path / "model.onnx", path / "export" / "model.onnx"):
            if candidate.is_file():
                return candidate
        several = sorted(p.parent for p in (*path.glob("*/model.onnx"), *path.glob("export/*/model.onnx")))
        if several:
            raise InputError(
                f"{path} holds several models: {', '.join(p.name for p in several)}",
                todo=f"name one, such as {several[0]}",
            )
        raise InputError(f"{path} holds no model.onnx", todo=f"export it first: {command('export', path)}")
    if not path.exists():
        models = list_models()
        if str(path) in models:
            return models[str(path)]
        raise InputError(
            f"there is no model at {path}",
            "a model file, an export folder, a run folder, or the name of a model that comes with edgegan: "
            f"{', '.join(models) or 'none in this installation'}",
        )
    if suffix(path) not in SUFFIXES:
        raise InputError(f"{path} is not a model", f"a file that ends in {', '.join(SUFFIXES)}")
    return path


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def _check_hash(model: Path, onnx: OnnxFile | None, card: ModelCard, beside: Path) -> None:
    expected = card.payload_sha256
    if expected is not None:
        seen = payload_sha256(model)
    elif onnx is not None and SEAL_KEY in onnx.metadata and not onnx.external:
        expected, seen = onnx.metadata[SEAL_KEY], content_sha256(model)
    else:
        what = "an engine is executable content: it is loaded only if its hash is known"
        raise CardError(
            f"{model}: no hash says that the file is what it was",
            what if suffix(model) == ".engine" else f"one in {beside.name}",
            f"copy {beside.name} beside it, or {_EXPORT_AGAIN}",
        )
    if seen != expected:
        raise CardError(
            f"{model} has the SHA-256 {seen[:16]}...",
            f"its card expects {expected[:16]}...: the file was changed, or belongs to another card",
            f"copy both again, or {_EXPORT_AGAIN}",
        )


def _check_sizes(card: ModelCard, *, where: Path) -> None:
    """Raises CardError for sizes that no tensor can have, before anything of that size is made."""
    rule, (fewest, most) = card.size, card.batch
    largest = rule.max_hw or rule.hw
    named = {"batch": most, "height": largest[0], "width": largest[1]}
    wrong = min(*rule.hw, *largest, *(rule.min_hw or (1, 1)), rule.multiple, fewest) < 1 or fewest > most
    for spec in (*card.inputs, *card.outputs):
        axes = [axis if isinstance(axis, int) else named.get(axis, 1) for axis in spec.shape]
        wrong = wrong or min(axes, default=1) < 1 or math.prod(axes) > MAX_ELEMENTS
    if wrong:
        shapes = ", ".join(f"{s.name} ({', '.join(map(str, s.shape))})" for s in (*card.inputs, *card.outputs))
        raise CardError(
            f"{where}: sizes that cannot be: {shapes}; up to {largest[0]}x{largest[1]}, {fewest} to {most} at once",
            f"whole numbers from 1, and at most {MAX_ELEMENTS:.3g} values in a tensor",
            _EXPORT_AGAIN,
        )


def _check_condition(card: ModelCard, *, where: Path) -> None:
    condition = card.condition
    if len(condition.default) != len(condition.names):
        raise CardError(
            f"{where}: the default label has {len(condition.default)} entries",
            f"one for each of the {len(condition.names)} names",
            _EXPORT_AGAIN,
        )
    if condition.sets and (
        len(condition.sets) != condition.mask_slots or [n for s in condition.sets for n in s] != list(condition.names)
    ):
        raise CardError(
            f"{where}: the label sets have {sum(map(len, condition.sets))} names and {condition.mask_slots} mask slots",
            f"the {len(condition.names)} names in order, and {len(condition.sets)} mask slots",
            _EXPORT_AGAIN,
        )
