"""The whole export: a trained run in, verified artefacts out, or an error and nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgegan.runtime.errors import EdgeganError, InputError, MissingExtraError
from edgegan.runtime.files import sha256

from . import staging
from .artefacts import make_artefacts
from .folder import ExportFolder
from .graph import trace, variants
from .matrix import Wanted
from .mobile.converter import PACKAGES
from .preflight import check_request, check_specs
from .request import Progress, Request, Row
from .trt.artefact import pins

if TYPE_CHECKING:
    from edgegan.config import BaseConfig
    from edgegan.families import ExportSpec, Networks
    from edgegan.train.folder.checkpoint import Checkpoint
    from edgegan.train.folder.run import Run


@dataclass(frozen=True)
class Exported:
    """What was written, how close it is, and what the user should know."""

    folder: Path
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...] = ()  # what will not run, or not as fast as was meant

    @property
    def main(self) -> Path:
        """The main artefact, `model.onnx`: in the folder, or in that of the first direction."""
        return self.rows[0].path


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
        from edgegan.train.folder.run import open_trained
    except ImportError as error:
        raise MissingExtraError(error.name or "torch", "export") from None

    check_request(request)
    run, nets, found = open_trained(request.source)
    run.cfg = _configure(run, request.settings)
    source_sha256 = sha256(found.path)
    specs, notes = _specs(run, nets, request)
    notes += check_specs(specs, request)
    warnings: list[str] = []
    out = request.out or run.export_folder
    tell = on_progress or (lambda what, done, total: None)
    training = _training(run, found, source_sha256)
    rows: list[Row] = []
    with staging.staging(out) as stage:
        for folder in dict.fromkeys(spec.folder for spec in specs):
            group = [spec for spec in specs if spec.folder == folder]
            work = ExportFolder(stage / folder, tell)
            make_artefacts(work, group, request, training)
            rows += [_rebase(row, stage, out) for row in work.rows]
            notes += work.notes
            warnings += work.warnings
            script = staging.reproduce_script(
                found.path,
                source_sha256,
                out / folder,
                _options(request, run),
                trace.build_info(),
                _pins(request),
            )
            path = stage / folder / "reproduce.sh"
            path.write_text(script, "utf-8")
            path.chmod(path.stat().st_mode | 0o111)
        for gone in staging.publish(stage, out):
            notes.append(f"removed {gone}: it came from an earlier export")
    return Exported(out, tuple(rows), tuple(notes), tuple(warnings))


def _specs(run: Run, nets: Networks, request: Request) -> tuple[list[ExportSpec], list[str]]:
    """What to export, at the size asked for, with pictures that can be opened here; and notes on these."""
    data, notes = request.data or run.data, []
    specs = _shape(run.family.exportable(run.cfg, nets, data), request)  # an impossible size is said first of all
    try:
        specs[0].golden(1)
    except EdgeganError as error:
        if request.data is not None:
            raise
        notes.append(f"the run's own pictures are not here ({error.seen}); --data names others")
        specs = _shape(run.family.exportable(run.cfg, nets, ""), request)
        try:
            specs[0].golden(1)
        except EdgeganError:
            raise InputError(
                error.seen,
                "an export is verified on held-out pictures",
                "name some with --data SPEC, or use drawn faces: pip install 'edgegan[avatars]'",
            ) from None
    if request.calibration is not None and specs[0].card.task != "generate":
        try:
            others = _shape(run.family.exportable(run.cfg, nets, request.calibration), request)
        except EdgeganError as error:
            raise InputError(f"--calib {request.calibration}: {error.seen}", error.expected, error.todo) from None
        specs = [replace(spec, calibration=other.calibration) for spec, other in zip(specs, others, strict=True)]
    return specs, notes


def _configure(run: Run, settings: Sequence[str]) -> BaseConfig:
    """The run's config with settings on top; raises InputError for one that its family does not have."""
    from edgegan.config import with_settings

    for setting in settings:
        key = setting.partition("=")[0]
        if not hasattr(run.cfg, key):
            raise InputError(f"--{key}: a {run.family_name} model has no '{key}'", todo=f"leave --{key} out")
    return with_settings(run.cfg, settings)


def _shape(specs: Sequence[ExportSpec], request: Request) -> list[ExportSpec]:
    """The specs at the size and with the ports asked for. Helpers stay as trained: the runtime resizes for them."""
    from edgegan.families import is_helper

    found = []
    for spec in specs:
        if not is_helper(spec, specs):
            if request.size_hw is not None:
                spec = variants.with_size(spec, request.size_hw)
            if request.batch > 1:
                spec = variants.with_batch(spec, request.batch)
            if request.open_batch or request.open_size:
                spec = variants.with_open_axes(spec, batch=request.open_batch, size=request.open_size)
            if request.as_bytes:
                spec = variants.with_bytes(spec)
        found.append(spec)
    return found


def _training(run: Run, found: Checkpoint, checkpoint_sha256: str) -> dict[str, str | int | float]:
    """Where the weights come from. Folders on the training machine are nobody else's business."""
    from edgegan.data._files.named import without_places

    header = found.header
    imported = header.get("imported", {}).get("files", {})
    return {
        "images": int(header.get("images", 0)),
        **(
            {"imported": ", ".join(f"{name} (sha256 {digest})" for name, digest in imported.items())}
            if imported
            else {"minutes": round(float(header.get("seconds", 0.0)) / 60, 1)}
        ),
        **_lesson(run, header),
        "data": without_places(run.data) or "not told",
        "checkpoint_sha256": checkpoint_sha256,
        "edgegan": str(header.get("edgegan", "")),
        "torch": str(header.get("torch", "")),
        "git": str(header.get("git", "")),
    }


def _lesson(run: Run, header: Mapping[str, Any]) -> dict[str, str | int | float]:
    """Whose student a model is, and how much of its teacher it has, measured on held-out inputs at so many images."""
    if run.distillation is None:
        return {}
    figures = header.get("figures") or {}
    names = {"teacher_db": "psnr_to_teacher_db", "landed": "edits_landed", "images": "measured_at_images"}
    known = {name: round(figures[key], 4) for key, name in names.items() if key in figures}
    return {"teacher": str(run.distillation["teacher"]), **known}


def _options(request: Request, run: Run) -> dict[str, str | None]:
    data = request.data or run.data
    options: dict[str, str | None] = {**({"--data": data} if data else {}), "--pictures": str(request.pictures)}
    if request.size_hw is not None:
        options["--size"] = f"{request.size_hw[0]}x{request.size_hw[1]}"
    if request.precisions:
        options["--precision"] = ",".join(request.precisions)
    if request.formats:
        options["--format"] = ",".join(request.formats)
    if request.trt:
        options["--trt"] = None
    if request.open_size:
        options["--size"] = "dynamic"
    if request.open_batch or request.batch > 1:
        options["--batch"] = "dynamic" if request.open_batch else str(request.batch)
    if request.as_bytes:
        options["--io"] = "uint8"
    if request.instance_norm != "plain":
        options["--instance-norm"] = request.instance_norm
    if request.calibration is not None:
        options["--calib"] = request.calibration
    options |= request.engine.arguments
    if request.min_psnr_db is not None:
        options["--min-psnr"] = f"{request.min_psnr_db:g}"
    for key, _, value in (setting.partition("=") for setting in request.settings):
        options[f"--{key}"] = value
    return options


def _pins(request: Request) -> dict[str, str]:
    """The packages that the bytes of the export depend on: what computes them, and what is measured on the cards."""
    tools = ["torch", "onnx", "onnxscript", "onnxslim", "onnxruntime", "onnxruntime-gpu", "openvino", "numpy"]
    tools += ["opencv-python", "opencv-python-headless"]
    tools += ["onnxconverter-common"] if Wanted("fp16", "onnx") in request.wanted else []
    tools += ["nncf"] if Wanted("int8", "openvino") in request.wanted else []
    tools += [package for wanted in request.wanted for package in PACKAGES.get(wanted.format, ())]
    engines = pins() if any(wanted.format == "engine" for wanted in request.wanted) else {}
    return trace.versions(*tools) | engines


def _rebase(row: Row, stage: Path, out: Path) -> Row:
    return Row(out / row.path.relative_to(stage), row.precision, row.size_bytes, row.backend, row.verification)
