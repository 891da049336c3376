"""The whole export: a trained run in, verified artefacts out, or an error and nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from edgegan.runtime.artefact import Artefact
from edgegan.runtime.backends import BACKENDS
from edgegan.runtime.card import ModelCard, Verification
from edgegan.runtime.errors import EdgeganError, InputError, MissingExtraError, VerifyError
from edgegan.runtime.files import sha256
from edgegan.runtime.golden import Golden

from . import precision, staging, to_onnx
from .pairs import eager_pairs, golden_bytes, spread
from .to_trt import KEPT, Gpu, choose_library, engine_from_onnx, find_gpu
from .verify import REFERENCE, require, verify_artefact

if TYPE_CHECKING:
    from edgegan.checkpoint import Checkpoint
    from edgegan.families import ExportSpec, Networks, Tolerance
    from edgegan.run import Run

Progress = Callable[[str, int, int], None]  # (what, done, of how many)

_RANGE_PAIRS = 8
# Operator types that square or sum, for specs that name none.
_SENSITIVE = ("InstanceNormalization", "LayerNormalization", "GroupNormalization", "MeanVarianceNormalization")


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    source: Path  # a run folder or a checkpoint
    out: Path | None = None  # default: export/ in the run
    trt: bool = False  # a TensorRT engine as well
    size_hw: tuple[int, int] | None = None  # default: the size the model was trained at
    data: str | None = None  # held-out pictures from here; default: the run's own data
    pictures: int = 64  # held-out pictures to verify on, each with every edit


@dataclass(frozen=True)
class Row:
    """One artefact on one backend."""

    path: Path
    precision: str
    size_bytes: int
    backend: str
    verification: Verification


@dataclass(frozen=True)
class Exported:
    """What was written, how close it is, and what the user should know."""

    folder: Path
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def export_run(request: Request, on_progress: Progress | None = None) -> Exported:
    """Exports everything the run's family declares, and verifies all of it before anything appears in the folder.

    Raises:
        InputError: not a run or checkpoint, a size the model cannot have, or no pictures to verify on.
        MissingExtraError: a package that exporting needs is not installed.
        VerifyError: an artefact does not reproduce the model; nothing was written.
        BackendError: the engine could not be built; nothing was written.
        KeyboardInterrupt: Ctrl-C; nothing was written.
    """
    try:
        from edgegan.run import open_trained
    except ImportError as error:
        raise MissingExtraError(error.name or "torch", "export") from None

    if request.trt:
        choose_library(find_gpu())  # says what is missing before the long work
    run, nets, found = open_trained(request.source)
    source_sha256 = sha256(found.path)
    specs, notes = _specs(run, nets, request)
    out = request.out or run.export_folder
    tell = on_progress or (lambda what, done, total: None)
    training = _training(run, found, source_sha256)
    rows: list[Row] = []
    with staging.staging(out) as stage:
        for folder in dict.fromkeys(spec.folder for spec in specs):
            group = [spec for spec in specs if spec.folder == folder]
            work = _Folder(stage / folder, group, training, request, tell)
            work.export()
            rows += [_moved(row, stage, out) for row in work.rows]
            notes += work.notes
            script = staging.reproduce_script(
                found.path,
                source_sha256,
                out / folder,
                _options(request, run),
                to_onnx.built_with("onnxconverter-common"),
            )
            path = stage / folder / "reproduce.sh"
            path.write_text(script, "utf-8")
            path.chmod(path.stat().st_mode | 0o111)
        for gone in staging.publish(stage, out):
            notes.append(f"removed {gone}: it came from an earlier export")
    return Exported(out, tuple(rows), tuple(notes))


def parse_size(text: str) -> tuple[int, int]:
    """`HxW`, or `S` for a square, as (height, width); raises InputError for anything else."""
    found = re.fullmatch(r"\s*(\d{1,5})(?:\s*[xX×]\s*(\d{1,5}))?\s*", text)
    height, width = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if height < 1 or width < 1:
        raise InputError(
            f"--size {text}: not a size", "height x width, as in: --size 128x160, or --size 128 for a square"
        )
    return height, width


class _Folder:
    """The artefacts of one folder, made in `path`."""

    def __init__(
        self,
        path: Path,
        specs: Sequence[ExportSpec],
        training: dict[str, str | int | float],
        request: Request,
        tell: Progress,
    ) -> None:
        self.path, self.specs, self.training, self.request, self.tell = path, specs, training, request, tell
        self.rows: list[Row] = []
        self.notes: list[str] = []
        self._helpers = {name for spec in specs for name in spec.card.companions.values()}

    def export(self) -> None:
        """Everything but reproduce.sh."""
        pairs: dict[str, Golden] = {}
        for spec in self.specs:
            what = f"{spec.name}: fp32 eager"
            pairs[spec.name] = eager_pairs(spec, self.request.pictures, partial(self.tell, what))
            if spec.note:
                self.notes.append(spec.note)
            self._spec(spec, pairs[spec.name])
        (self.path / "golden.npz").write_bytes(golden_bytes(pairs))

    def _spec(self, spec: ExportSpec, pairs: Golden) -> None:
        self.tell(f"{spec.name}: tracing", 0, 1)
        model = to_onnx.to_onnx(spec)
        self.tell(f"{spec.name}: tracing", 1, 1)
        card = msgspec.structs.replace(
            spec.card, precision="fp32", opset=to_onnx.OPSET, built_with=to_onnx.built_with(), training=self.training
        )
        single = self._verified(model, card, f"{spec.name}.onnx", pairs, spec.tolerances["fp32"])
        if single.path.name in self._helpers or "fp16" not in spec.tolerances:
            return  # a helper is small and runs on few frames: half precision would gain nothing
        half = self._half(spec, model, pairs, single)
        if self.request.trt:
            self._engine(half, pairs, spec.tolerances["fp16"])

    def _half(self, spec: ExportSpec, model: Any, pairs: Golden, single: Artefact) -> Artefact:
        """The fp16 artefact: what the values ask for stays fp32; on a miss, all sensitive operators do."""
        sensitive = spec.keep_fp32 or _SENSITIVE
        measured = precision.hurt_by_half(
            model, precision.measure_ranges(model, spread(pairs, _RANGE_PAIRS)), sensitive
        )
        try:
            return self._write_half(spec, model, pairs, single, measured)
        except VerifyError:
            cautious = {**precision.every(model, sensitive), **measured}
            if cautious.keys() == measured.keys():
                raise
        return self._write_half(spec, model, pairs, single, cautious)

    def _write_half(
        self, spec: ExportSpec, model: Any, pairs: Golden, single: Artefact, keep: Mapping[str, str]
    ) -> Artefact:
        half = precision.to_fp16(model, keep, spec.card.name)
        card = msgspec.structs.replace(
            single.card,
            precision="fp16",
            parent_sha256=single.card.payload_sha256,
            built_with={**to_onnx.built_with("onnxconverter-common"), KEPT: ",".join(half.kept)},
        )
        name = f"{spec.name}.fp16.onnx"
        artefact = self._verified(half.model, card, name, pairs, spec.tolerances["fp16"])
        self.notes += [f"{name}: {node} stays fp32: {why}" for node, why in half.kept.items()]
        return artefact

    def _verified(self, model: Any, card: ModelCard, name: str, pairs: Golden, tolerance: Tolerance) -> Artefact:
        """Writes a model, verifies it on every backend, and puts the figures on its card."""
        artefact = to_onnx.save(model, msgspec.structs.replace(card, verification={}), self.path / name)
        figures = self._figures(artefact, pairs, tolerance)
        require(name, figures)
        artefact = to_onnx.save(model, msgspec.structs.replace(card, verification=figures), artefact.path)
        self._add_rows(artefact)
        return artefact

    def _engine(self, half: Artefact, pairs: Golden, tolerance: Tolerance) -> None:
        path = half.path.with_suffix(".engine")
        artefact, built = engine_from_onnx(
            half, path, on_progress=lambda what, done, total: self.tell(f"{path.name}: {what}", done, total)
        )
        gpu = find_gpu()
        if isinstance(gpu, Gpu):
            figures = self._figures(artefact, pairs, tolerance)
            require(path.name, figures, "tensorrt")
            artefact = Artefact(path, msgspec.structs.replace(artefact.card, verification=figures))
            artefact.card.write(path)
        else:
            self.notes.append(
                f"{path.name}: built for compute capability {artefact.card.built_with['compute_capability']} "
                f"and not run ({gpu}); the golden pairs run at its first load on a GPU, and a miss refuses it"
            )
        kept = f", kept fp32: {', '.join(built.float_layers)}" if built.float_layers else ""
        self.notes.append(f"{path.name}: proven float16: {built.half_layers} computing layers in half{kept}")
        self._add_rows(artefact)

    def _figures(self, artefact: Artefact, pairs: Golden, tolerance: Tolerance) -> dict[str, Verification]:
        def on(max_abs: float | None, *backends: str) -> dict[str, Verification]:
            wanted = {"max_abs": max_abs, "min_psnr_db": tolerance.min_psnr_db}
            return verify_artefact(
                artefact,
                pairs,
                tolerance={key: value for key, value in wanted.items() if value is not None},
                backends=backends,
                on_pair=lambda backend, done, total: self.tell(f"{artefact.path.name} on {backend}", done, total),
            )

        others = tuple(name for name in BACKENDS if name != REFERENCE)
        return {**on(tolerance.max_abs, REFERENCE), **on(tolerance.others_max_abs or tolerance.max_abs, *others)}

    def _add_rows(self, artefact: Artefact) -> None:
        size = artefact.path.stat().st_size
        for backend, found in artefact.card.verification.items():
            if found.status == "failed":
                self.notes.append(f"{artefact.path.name} will not run on {backend}: {found.reason}")
            self.rows.append(Row(artefact.path, artefact.card.precision, size, backend, found))


def _specs(run: Run, nets: Networks, request: Request) -> tuple[list[ExportSpec], list[str]]:
    """What to export, at the size asked for, with pictures that can be opened here; and notes on these."""
    data, notes = request.data or run.data, []
    specs = _sized(
        run.family.exportable(run.cfg, nets, data), request
    )  # an impossible size is said before any picture is opened
    try:
        specs[0].golden(1)
    except EdgeganError as error:
        if request.data is not None:
            raise
        notes.append(f"the run's own pictures are not here ({error.seen}); --data names others")
        specs = _sized(run.family.exportable(run.cfg, nets, ""), request)
        try:
            specs[0].golden(1)
        except EdgeganError:
            raise InputError(
                error.seen,
                "an export is verified on held-out pictures",
                "name some with --data SPEC, or use drawn faces: pip install 'edgegan[avatars]'",
            ) from None
    return specs, notes


def _sized(specs: Sequence[ExportSpec], request: Request) -> list[ExportSpec]:
    """Helpers keep the size they were trained at: the runtime resizes what it gives them."""
    if request.size_hw is None:
        return list(specs)
    helpers = {(spec.folder, name) for spec in specs for name in spec.card.companions.values()}
    return [
        spec if (spec.folder, f"{spec.name}.onnx") in helpers else to_onnx.sized(spec, request.size_hw)
        for spec in specs
    ]


def _training(run: Run, found: Checkpoint, checkpoint_sha256: str) -> dict[str, str | int | float]:
    """Where the weights come from. Folders on the training machine are nobody else's business."""
    kind, _, place = run.data.partition(":")
    header = found.header
    return {
        "images": int(header.get("images", 0)),
        "minutes": round(float(header.get("seconds", 0.0)) / 60, 1),
        "data": run.data if place.isdecimal() or not place else kind,
        "checkpoint_sha256": checkpoint_sha256,
        "edgegan": str(header.get("edgegan", "")),
        "torch": str(header.get("torch", "")),
        "git": str(header.get("git", "")),
    }


def _options(request: Request, run: Run) -> dict[str, str | None]:
    options: dict[str, str | None] = {"--data": request.data or run.data, "--pictures": str(request.pictures)}
    if request.size_hw is not None:
        options["--size"] = f"{request.size_hw[0]}x{request.size_hw[1]}"
    if request.trt:
        options["--trt"] = None
    return options


def _moved(row: Row, stage: Path, out: Path) -> Row:
    return Row(out / row.path.relative_to(stage), row.precision, row.size_bytes, row.backend, row.verification)
