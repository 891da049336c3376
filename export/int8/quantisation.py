"""The INT8 artefacts of one model: searched on training pictures, and once more where held-out ones miss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from edgegan.runtime.backends.processor import INT8_ON, int8_arithmetic
from edgegan.runtime.errors import MissingExtraError, VerifyError
from edgegan.runtime.model.artefact import Artefact
from edgegan.runtime.model.card import ModelCard, Verification
from edgegan.runtime.model.golden import DEFAULT_TOLERANCE, Golden

from ..graph import fp16_audit, trace
from ..matrix import INT8_IN_HALF, Wanted, report_name
from ..trt.artefact import KEPT
from ..verify.check import require
from ..verify.diagnosis import REFERENCE
from . import openvino as ir
from . import qdq
from . import search as int8
from .sessions import installed

if TYPE_CHECKING:
    from edgegan.families import ExportSpec

    from ..folder import Artefacts

CALIBRATION_PICTURES = 32  # with every edit; 300 inputs gave no better figures than 32
_CALIBRATION_PAIRS = 64
_TRIES = 3
FAST = "openvino"  # what a CPU file in INT8 is for: ONNX Runtime reads it as well, and gains little by it


class Quantisation:
    """Makes INT8 files of one spec in `folder`, with a report of what each layer cost.

    Raises InputError if the spec tells of no training pictures.
    """

    def __init__(self, folder: Artefacts, spec: ExportSpec, single: Artefact, pairs: Golden) -> None:
        self._folder, self._single, self._pairs = folder, single, pairs
        usual, asked = spec.tolerances["int8"], folder.request.min_psnr_db
        floor = asked if asked is not None else usual.min_psnr_db or DEFAULT_TOLERANCE["min_psnr_db"]
        self._tolerance = replace(usual, min_psnr_db=floor)
        self._trained = int8.calibration_pairs(spec, CALIBRATION_PICTURES, _CALIBRATION_PAIRS)
        self._goal = int8.Goal(self._trained, spec.card.outputs[0].value_range or (0.0, 1.0), floor)
        self._stem = spec.name

    def ir(self, model: Any) -> None:
        """OpenVINO's own form of a float32 onnx.ModelProto."""
        self._made(Wanted("int8", "openvino"), ir.IrForm(model, self._goal), self._single, ("openvino",))

    def qdq(self, model: Any) -> None:
        """The ONNX form for CPUs of a float32 onnx.ModelProto, searched in the runtime that makes most of it."""
        found = qdq.calibrate(model, self._trained, signed=False)
        readers = installed()
        for reader in readers:
            form = qdq.QdqForm(model, found, self._goal, reader=reader)
            judges = (REFERENCE, reader) if reader != REFERENCE else (REFERENCE,)
            try:
                made = self._made(Wanted("int8", "onnx"), form, self._single, judges)
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

    def in_half(self, model: Any, half: Artefact) -> None:
        """The form for TensorRT, from the float32 onnx.ModelProto and its float16 artefact; and the engine."""
        import onnx

        skip = half.card.built_with[KEPT].split(",")  # float32 on purpose
        found = qdq.calibrate(model, self._trained, signed=True)
        form = qdq.QdqForm(onnx.load(str(half.path)), found, self._goal, skip)
        card = msgspec.structs.replace(half.card, opset=qdq.HALF_OPSET)
        parent = self._made(INT8_IN_HALF, form, Artefact(half.path, card), (REFERENCE,))
        self._folder.engine(parent, Wanted("int8", "engine"), self._pairs, self._tolerance)

    def _made(self, wanted: Wanted, form: int8.Form, parent: Artefact, judges: Sequence[str]) -> Artefact:
        """The file of a form with as few layers in float as all `judges` need on held-out pictures.

        The first judge has to be content, or VerifyError is raised; where the others never are, it decides alone.
        """
        name = wanted.file(self._stem)
        search = int8.Search(form, self._goal, partial(self._folder.tell, f"{name}: layers measured"))
        floor, tried, enough = self._goal.min_psnr_db, [search.mix()], None

        def written(mix: int8.Mix) -> Artefact:
            card = self._card(form, mix, parent)
            return self._folder.write(form.variant(mix.float_layers), card, name, self._pairs, self._tolerance)

        while True:
            mix = tried[-1]
            artefact = written(mix)
            short_db = [max(0.0, floor - seen) for seen in _worst_db(artefact.card.verification, judges)]
            enough = enough or (mix if not any(short_db[:1]) else None)
            if not any(short_db) or len(tried) == _TRIES:
                break
            following = search.mix(mix.psnr_worst_db + max(short_db))
            if following == mix:
                break
            tried.append(following)
        if any(short_db) and enough is not None and enough != mix:
            mix, artefact = enough, written(enough)
        require(artefact, artefact.card.verification, self._pairs, judges[0])
        self._folder.add_rows(artefact, loud=wanted != INT8_IN_HALF)  # CPUs are not what that one is for
        self._tell(mix, artefact)
        return artefact

    def _card(self, form: int8.Form, mix: int8.Mix, parent: Artefact) -> ModelCard:
        shares = (fp16_audit.WEIGHTS, fp16_audit.OPERATORS)  # not those of the parent
        facts = {key: value for key, value in parent.card.built_with.items() if key not in shares}
        facts |= {INT8_ON: int8_arithmetic(), int8.FLOAT_LAYERS: ",".join(mix.float_layers)}
        return msgspec.structs.replace(
            parent.card,
            precision="int8",
            parent_sha256=parent.card.payload_sha256,
            built_with={**facts, **trace.built_with(*form.tools)},
        )

    def _tell(self, mix: int8.Mix, artefact: Artefact) -> None:
        report, name = self._folder.path / report_name(self._stem, "int8"), artefact.path.name
        figures = artefact.card.verification.items()
        held_out = {backend: seen.psnr_worst_db for backend, seen in figures if seen.psnr_worst_db is not None}
        with report.open("a", encoding="utf-8") as file:
            file.write(int8.report(mix, self._goal, name, held_out))
        kept = f"{len(mix.float_layers)} of {mix.layers} layers stay float" if mix.costs else "all layers are in INT8"
        self._folder.notes.append(f"{name}: {kept} for {self._goal.min_psnr_db:g} dB; {report.name} tells what it cost")


def _worst_db(figures: Mapping[str, Verification], judges: Sequence[str]) -> Iterator[float]:
    """PSNR of the worst picture on each of the judges that ran, and at each end of an open range."""
    for judge in judges:
        seen = figures.get(judge)
        if seen is not None and seen.psnr_worst_db is not None:
            yield min([seen.psnr_worst_db, *seen.corners_db.values()])
