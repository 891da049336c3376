"""The INT8 artefacts of one model: searched on training pictures, and once more where held-out ones miss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from edgegan.runtime.errors import MissingExtraError, VerifyError
from edgegan.runtime.model.artefact import Artefact
from edgegan.runtime.model.card import ModelCard
from edgegan.runtime.model.fidelity import DEFAULT_TOLERANCE
from edgegan.runtime.model.golden import Golden
from edgegan.runtime.model.verification import Verification

from .folder import ExportFolder, limits
from .graph import trace
from .int8 import openvino, qdq, search
from .int8.sessions import find_installed
from .matrix import INT8_IN_HALF, Wanted, report_name
from .verify.check import require
from .verify.diagnosis import REFERENCE

if TYPE_CHECKING:
    from edgegan.families import ExportSpec

CALIBRATION_PICTURES = 32  # with every edit; 300 inputs gave no better figures than 32
_CALIBRATION_PAIRS = 64
_TRIES = 3
FAST = "openvino"  # what a CPU file in INT8 is for: ONNX Runtime reads it as well, and gains little by it


class Quantisation:
    """Makes INT8 files of one spec in `folder`, with a report of what each layer cost.

    Args:
        folder: where the files are written.
        spec: a model with training pictures.
        single: its float32 ONNX artefact.
        pairs: held-out inputs and fp32 eager's answers.
        min_psnr_db: what the worst picture has to reach; None takes the family's tolerance.

    Raises InputError if the spec has no training pictures.
    """

    def __init__(
        self, folder: ExportFolder, spec: ExportSpec, single: Artefact, pairs: Golden, min_psnr_db: float | None
    ) -> None:
        self._folder, self._single, self._pairs = folder, single, pairs
        usual = spec.tolerances["int8"]
        floor = min_psnr_db if min_psnr_db is not None else usual.min_psnr_db or DEFAULT_TOLERANCE["min_psnr_db"]
        self._tolerances = limits(replace(usual, min_psnr_db=floor))
        self._trained = search.calibration_pairs(spec, CALIBRATION_PICTURES, _CALIBRATION_PAIRS)
        self._goal = search.Goal(self._trained, spec.card.outputs[0].value_range or (0.0, 1.0), floor)
        self._stem = spec.name

    def make_ir(self, model: Any) -> None:
        """OpenVINO's own form of a float32 onnx.ModelProto."""
        self._make(Wanted("int8", "openvino"), openvino.IrForm(model, self._goal), self._single, ("openvino",))

    def make_qdq(self, model: Any) -> None:
        """The ONNX form for CPUs of a float32 onnx.ModelProto, searched in the runtime that makes most of it."""
        found = qdq.calibrate(model, self._trained, signed=False)
        readers = find_installed()
        for reader in readers:
            form = qdq.QdqForm(model, found, self._goal, reader=reader)
            judges = (REFERENCE, reader) if reader != REFERENCE else (REFERENCE,)
            try:
                made = self._make(Wanted("int8", "onnx"), form, self._single, judges)
                break
            except (VerifyError, MissingExtraError):  # there, and perhaps broken
                if reader == readers[-1]:
                    raise
        fast = made.card.verification.get(FAST)
        if fast is None or fast.status != "passed":
            absent = f" (here {fast.status.replace('_', ' ')}: {fast.reason})" if fast is not None else ""
            self._folder.warnings.append(
                f"{made.path.name} is right in {REFERENCE}, and hardly faster there than float32: "
                f"INT8 is fast on CPUs in {FAST}{absent}"
            )

    def make_in_half(self, model: Any, half: Artefact) -> Artefact:
        """The form for TensorRT, from the float32 onnx.ModelProto and its float16 artefact."""
        import onnx

        skip = half.card.built_with.fp32_nodes
        found = qdq.calibrate(model, self._trained, signed=True)
        form = qdq.QdqForm(onnx.load(str(half.path)), found, self._goal, skip)
        card = msgspec.structs.replace(half.card, opset=qdq.HALF_OPSET)
        return self._make(INT8_IN_HALF, form, Artefact(half.path, card), (REFERENCE,))

    def _make(self, wanted: Wanted, form: search.Form, parent: Artefact, judges: Sequence[str]) -> Artefact:
        """The file of a form with as few layers in float as all `judges` need on held-out pictures.

        The first judge has to be content, or VerifyError is raised; where the others never are, it decides alone.
        """
        name = wanted.file(self._stem)
        found = search.Search(form, self._goal, partial(self._folder.tell, f"{name}: layers measured"))
        floor, tried, enough = self._goal.min_psnr_db, [found.mix()], None

        def write(mix: search.Mix) -> Artefact:
            card = self._card(form, mix, parent)
            return self._folder.write(form.variant(mix.float_layers), card, name, self._pairs)

        while True:
            mix = tried[-1]
            artefact = write(mix)
            short_db = [max(0.0, floor - seen) for seen in _worst_db(artefact.card.verification, judges)]
            enough = enough or (mix if not any(short_db[:1]) else None)
            if not any(short_db) or len(tried) == _TRIES:
                break
            following = found.mix(mix.psnr_worst_db + max(short_db))
            if following == mix:
                break
            tried.append(following)
        if any(short_db) and enough is not None and enough != mix:
            mix, artefact = enough, write(enough)
        require(artefact, artefact.card.verification, self._pairs, judges[0])
        self._folder.add_rows(artefact, loud=wanted != INT8_IN_HALF)  # CPUs are not what that one is for
        self._tell(mix, artefact)
        return artefact

    def _card(self, form: search.Form, mix: search.Mix, parent: Artefact) -> ModelCard:
        tools = trace.build_info(*form.tools)
        before = parent.card.built_with
        return msgspec.structs.replace(
            parent.card,
            precision="int8",
            parent_sha256=parent.card.payload_sha256,
            tolerances=self._tolerances,
            built_with=msgspec.structs.replace(
                tools,
                versions={**before.versions, **tools.versions},
                fp32_nodes=before.fp32_nodes,
                float_layers=mix.float_layers,
            ),
        )

    def _tell(self, mix: search.Mix, artefact: Artefact) -> None:
        report, name = self._folder.path / report_name(self._stem, "int8"), artefact.path.name
        figures = artefact.card.verification.items()
        held_out = {backend: seen.psnr_worst_db for backend, seen in figures if seen.psnr_worst_db is not None}
        with report.open("a", encoding="utf-8") as file:
            file.write(search.report(mix, self._goal, name, held_out))
        kept = f"{len(mix.float_layers)} of {mix.layers} layers stay float" if mix.costs else "all layers are in INT8"
        self._folder.notes.append(f"{name}: {kept} for {self._goal.min_psnr_db:g} dB; {report.name} says what it cost")


def _worst_db(figures: Mapping[str, Verification], judges: Sequence[str]) -> Iterator[float]:
    """PSNR of the worst picture on each of the judges that ran, and at each end of an open range."""
    for judge in judges:
        seen = figures.get(judge)
        if seen is not None and seen.psnr_worst_db is not None:
            yield min([seen.psnr_worst_db, *seen.corners_db.values()])
