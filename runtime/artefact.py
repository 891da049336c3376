"""A model on disk and its card, checked against each other before anything runs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from .card import METADATA_KEY, ModelCard, sidecar
from .errors import CardError, InputError
from .files import sha256
from .onnxfile import read_metadata

SUFFIXES = {".onnx": "an ONNX model", ".xml": "an OpenVINO model", ".engine": "a TensorRT engine"}
_EXPORT_AGAIN = "export the model again: edgegan export RUN"


@dataclass(frozen=True)
class Artefact:
    """A model file with its card. `path` ends in one of SUFFIXES."""

    path: Path
    card: ModelCard

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
        return load(path)

    @property
    def golden(self) -> Path | None:
        """The golden pairs that lie beside the model, or None."""
        path = self.path.with_name("golden.npz")
        return path if path.is_file() else None


def load(path: str | Path) -> Artefact:
    """Finds a model and its card, and checks the file's hash against the card.

    `path` is a model file, an export folder (its `model.onnx` is taken) or a run folder (with `export/`). The card
    is `<file>.card.json`, else, for ONNX, the one in the file's own metadata. A card read from within the file cannot
    hold that file's hash; a sidecar can, and for engines, which are executable content, must.

    Raises:
        InputError: nothing there, not a model, or a file that is cut short.
        CardError: no card, an unreadable one, or a hash that differs.
    """
    model = _find(Path(path))
    metadata = read_metadata(model) if model.suffix == ".onnx" else {}
    beside = sidecar(model)
    if beside.is_file():
        card = ModelCard.from_json(beside.read_bytes(), where=str(beside))
    elif METADATA_KEY in metadata:
        card = ModelCard.from_json(metadata[METADATA_KEY], where=str(model))
    else:
        todo = f"copy {beside.name} beside it, or {_EXPORT_AGAIN}"
        raise CardError(f"{model} has no model card", f"a card in {beside.name}", todo)
    _check_hash(model, card, where=beside)
    _check_condition(card, where=beside)
    return Artefact(model, card)


def shipped() -> Path:
    """The avatar model that comes with edgegan. Raises InputError where this installation has none."""
    path = Path(__file__).with_name("data") / "avatars" / "model.onnx"
    if not path.is_file():
        raise InputError(
            "this installation of edgegan ships no model",
            todo="name a model or a run folder, or train one: edgegan train stargan --preset avatars-64 --minutes 5",
        )
    return path


def payload_sha256(path: Path) -> str:
    """The hash a card holds: of the file's bytes; for an OpenVINO model, of the .xml and then the .bin."""
    if path.suffix != ".xml":
        return sha256(path)
    joined = hashlib.sha256()
    for part in (path, path.with_suffix(".bin")):
        try:
            joined.update(part.read_bytes())
        except OSError as error:
            raise InputError(f"cannot read {part}: {error.strerror}", todo="an OpenVINO model is two files") from error
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
        raise InputError(f"{path} holds no model.onnx", todo=f"export it first: edgegan export {path}")
    if not path.exists():
        raise InputError(f"there is no model at {path}", todo="name a model file, an export folder or a run folder")
    if path.suffix not in SUFFIXES:
        raise InputError(f"{path} is not a model", f"a file that ends in {', '.join(SUFFIXES)}")
    return path


def _check_hash(model: Path, card: ModelCard, *, where: Path) -> None:
    if card.payload_sha256 is None:
        if model.suffix == ".engine":
            raise CardError(
                f"{where}: the card holds no hash of the engine",
                "an engine is executable content: it is loaded only if its hash is known",
                _EXPORT_AGAIN,
            )
        return
    seen = payload_sha256(model)
    if seen != card.payload_sha256:
        raise CardError(
            f"{model} has the SHA-256 {seen[:16]}...",
            f"its card expects {card.payload_sha256[:16]}...: the file was changed, or belongs to another card",
            f"copy both again, or {_EXPORT_AGAIN}",
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
