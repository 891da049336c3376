"""One export folder: each artefact is written once, then measured, and its figures go onto the card beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from edgegan.runtime.backends.processor import int8_arithmetic
from edgegan.runtime.model.artefact import Artefact, parts
from edgegan.runtime.model.card import ModelCard
from edgegan.runtime.model.fidelity import OTHERS
from edgegan.runtime.model.golden import Golden, stem

from .graph import trace
from .int8 import openvino
from .mobile import litert, mnn, ncnn
from .request import Progress, Row
from .verify.check import require, verify_artefact
from .verify.diagnosis import REFERENCE
from .verify.targets import list_for_export

if TYPE_CHECKING:
    from edgegan.families import Tolerance


_SAVE: dict[str, Callable[[Any, ModelCard, Path], Artefact]] = {
    ".xml": openvino.save_ir,
    ".mnn": mnn.save,
    ".param": ncnn.save,
    ".tflite": litert.save,
}


class ExportFolder:
    """The artefacts of the folder `path`, and what is reported of them.

    `corners` are the pairs at the ends of the range of open axes, by the stem of the model and the label of the call.
    """

    def __init__(self, path: Path, tell: Progress) -> None:
        self.path, self.tell = path, tell
        self.corners: dict[str, Mapping[str, Golden]] = {}
        self.rows: list[Row] = []
        self.notes: list[str] = []
        self.warnings: list[str] = []

    def write(self, model: Any, card: ModelCard, name: str, pairs: Golden) -> Artefact:
        """Writes a model and measures the file; what `name` ends in says the format.

        The model is an openvino.Model for .xml, a torch.export program for .tflite, else an onnx.ModelProto.

        The card's `tolerances` are what each backend is held to. A miss is on the card, and raises nothing.
        """
        return self.measure(_SAVE.get(Path(name).suffix, trace.save)(model, card.lasting, self.path / name), pairs)

    def measure(self, artefact: Artefact, pairs: Golden) -> Artefact:
        """Runs a finished file on every backend here, and puts the figures onto its card; the file stays as it is."""
        figures = verify_artefact(
            artefact,
            pairs,
            backends=list_for_export(),
            corners=self.corners[stem(artefact.path)],
            on_pair=lambda backend, done, total: self.tell(f"{artefact.path.name} on {backend}", done, total),
        )
        on_cpu = artefact.card.precision == "int8" and artefact.path.suffix != ".engine"
        arithmetic = int8_arithmetic() if on_cpu else ""
        card = msgspec.structs.replace(artefact.card, verification=figures, int8_arithmetic=arithmetic)
        card.write(artefact.path)
        return Artefact(artefact.path, card)

    def write_verified(
        self, model: Any, card: ModelCard, name: str, pairs: Golden, reference: str = REFERENCE
    ) -> Artefact:
        """As `write`; raises VerifyError unless `reference` reproduces the model."""
        artefact = self.write(model, card, name, pairs)
        require(artefact, artefact.card.verification, pairs, reference)
        self.add_rows(artefact)
        return artefact

    def add_rows(self, artefact: Artefact, *, loud: bool = True) -> None:
        """Reports a finished artefact; a backend that will not run it is a warning, or a note unless `loud`."""
        size = sum(part.stat().st_size for part in parts(artefact.path))
        for backend, found in artefact.card.verification.items():
            if found.status == "failed":
                (self.warnings if loud else self.notes).append(
                    f"{artefact.path.name} will not run on {backend}: {found.reason}"
                )
            self.rows.append(Row(artefact.path, artefact.card.precision, size, backend, found))


def limits(tolerance: Tolerance) -> dict[str, dict[str, float]]:
    """A family's tolerance as a card's `tolerances`: ONNX Runtime on the CPU may be held closer than all others."""

    def of(max_abs: float | None) -> dict[str, float]:
        wanted = {"max_abs": max_abs, "min_psnr_db": tolerance.min_psnr_db}
        return {key: value for key, value in wanted.items() if value is not None}

    return {REFERENCE: of(tolerance.max_abs), OTHERS: of(tolerance.others_max_abs or tolerance.max_abs)}
