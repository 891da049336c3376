"""`edgegan distil`, from a request to a finished student."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from edgegan import config, distributed
from edgegan.config import BaseConfig
from edgegan.data._files.places import places
from edgegan.ranges import range_words, type_at
from edgegan.runtime.errors import InputError
from edgegan.runtime.files import sha256
from edgegan.runtime.places import refuse_clashes
from edgegan.train.fine_tune import place_of
from edgegan.train.folder.run import Run, open_run
from edgegan.train.session import Request as Training
from edgegan.train.session import run_training

from .candidates import EAGER, Budget, Tell, Timed, choose, measure
from .losses import Weights
from .pruning import State, prune_teacher
from .student import TEACHER, StudentRun
from .teacher import Teacher

IMAGES = 100_000
_WEIGHTS = "distil."  # settings that begin with this are of `Weights`


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    teacher: Path | None  # a run folder or a checkpoint; None with `resume`
    folder: Path
    budget: str
    data: str | None
    images: int | None
    minutes: float | None
    settings: tuple[str, ...]
    start_from: str | None  # whose generator to begin with, as find_weights takes it; None: fresh weights
    resume: bool
    dry_run: bool
    device: str
    threads: int | None


def train_student(run: StudentRun, request: Request, console: Console) -> Run:
    """Trains a student to its budget, or goes on with it; returns its run. Raises as `run_training` does."""
    training = Training(
        family=run.family_name,
        preset=None,
        data=None,
        folder=request.folder,
        images=request.images,
        minutes=request.minutes,
        settings=(),
        resume=request.resume,
        start_from=None,  # the run says it
        dry_run=False,
        device=request.device,
        threads=request.threads,
    )
    return run_training(training, console, run)


def make_student(request: Request, console: Console, tell: Tell) -> StudentRun | None:
    """A new student of the shape that keeps the budget; None after a dry run.

    Raises InputError for no teacher, one that has no students, no pictures, a budget that none keeps, or a folder in
    use; BackendError where nothing can be timed.
    """
    if distributed.is_launched():  # each process would time the candidates, and might choose another
        raise InputError(
            "a new student under torchrun",
            "one process, which chooses",
            "begin without it; then --resume",
        )
    if request.teacher is None:
        raise InputError("whose student?", "a run folder or a checkpoint", "as in: edgegan distil runs/stargan")
    budget = Budget.parse(request.budget)
    teacher = Teacher(request.teacher)
    data = request.data or teacher.run.data
    if not data:
        raise InputError(f"{request.teacher} does not say which pictures it knows", todo="name some with --data SPEC")
    if Run(request.folder, teacher.run.family_name, teacher.run.cfg, data).has_checkpoints:
        raise InputError(
            f"{request.folder} already holds a run", todo="go on with --resume, or choose another folder with --out"
        )
    refuse_clashes(dict.fromkeys(places(data), "the training pictures"), [str(request.folder)])
    own, weights = split_settings(request.settings)
    shapes = [config.with_settings(cfg, own) for cfg in teacher.distillation.students(teacher.run.cfg)]
    cfgs = list({str(cfg): schedule(cfg, request, own) for cfg in shapes}.values())
    if not cfgs:
        raise InputError(f"{request.teacher}: no student's shape fits pictures of this size")
    # What is not there is said before minutes of measuring.
    teacher.run.family.streams(cfgs[0], data)
    place = place_of(request.start_from)
    kind = "cuda" if request.device.startswith("cuda") else request.device
    timed, *students = measure(teacher, cfgs, kind, request.threads, tell)
    console.print(tabulate(timed, students))
    taken = choose(budget, timed, students)
    console.print(f"taken: {describe(taken, timed, students)}", highlight=False)
    if request.dry_run:
        return None
    about = {
        "teacher": f"{next(iter(teacher.specs.values())).card.name}, weights of sha256 {sha256(teacher.found.path)}",
        "teacher_macs": timed.macs,
        "macs": taken.macs,
        "budget": str(budget),
        "ms": round(taken.ms, 3),
        "teacher_ms": round(timed.ms, 3),
        "teacher_eager_ms": timed.eager_ms and round(timed.eager_ms, 3),
        "backend": taken.backend,
        "weights": msgspec.to_builtins(weights),
    }
    given = request.data or teacher.run.given_data
    beginning = None if place else begin(teacher, taken.cfg, weights, console, tell)
    return StudentRun(
        request.folder, taken.cfg, data, teacher, about, beginning=beginning, given_data=given, begins_with=place
    )


def begin(
    teacher: Teacher, cfg: BaseConfig, weights: Weights, console: Console, tell: Tell
) -> Mapping[str, State] | None:
    """The teacher's strongest channels, if they are wanted and fit; says so."""
    found = prune_teacher(teacher, cfg, tell) if weights.prune else None
    if found:
        console.print(f"begins with the teacher's strongest channels: {', '.join(found)}", highlight=False)
    return found


def resume_student(request: Request, console: Console, tell: Tell) -> StudentRun:
    """The student in a folder, at its beginning if nothing was saved; raises InputError where there is none."""
    if request.teacher is not None:
        raise InputError("a teacher with --resume: a student keeps its own", todo="leave the teacher out")
    if request.start_from:
        raise InputError("--from with --resume: a student goes on with its own weights", todo="leave --from out")
    if request.settings:
        raise InputError("--set with --resume: a student keeps its configuration", todo="leave --set out")
    run = open_run(request.folder)
    if run.distillation is None:
        raise InputError(f"{request.folder}: not a student's run", todo=f"go on with: {run.resume_command}")
    cfg = run.cfg
    if request.images is not None:
        cfg = config.with_settings(cfg, [f"train.images={request.images}"])
    teacher = Teacher(request.folder / TEACHER)
    data, given = (request.data, request.data) if request.data else (run.data, run.given_data)
    weights = msgspec.convert(dict(run.distillation)["weights"], Weights)
    place = run.begins_with
    beginning = None if run.has_checkpoints or place else begin(teacher, cfg, weights, console, tell)
    about = run.distillation
    return StudentRun(
        request.folder, cfg, data, teacher, about, beginning=beginning, given_data=given, begins_with=place
    )


def split_settings(settings: Sequence[str]) -> tuple[list[str], Weights]:
    """The settings of the student's configuration, and the weights.

    Raises InputError for a weight that is unknown or beyond its range, and for what is not of the form key=value.
    """
    own = [s for s in settings if not s.startswith(_WEIGHTS)]
    values: dict[str, Any] = {"distil": {}}
    for setting in settings:
        if setting.startswith(_WEIGHTS):
            config.set_value(values, setting)
    try:
        return own, msgspec.convert(values["distil"], Weights, strict=True)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at `")
        path = path.rstrip("`")
        kind = type_at(Weights, path) if path else None
        words = f"; {path.removeprefix('$.')} is {range_words(kind)}" if kind is not None else ""
        known = ", ".join(_WEIGHTS + field.name for field in msgspec.structs.fields(Weights))
        raise InputError(f"--set {_WEIGHTS}...: {what}{words}", f"there are: {known}") from None


def schedule(cfg: BaseConfig, request: Request, settings: Sequence[str]) -> BaseConfig:
    """The configuration with a distillation's schedule, but for what the settings say: short, and slower at the end."""
    images = request.images or IMAGES
    usual: Mapping[str, Any] = {
        "images": images,
        "decay_images": images // 2,
        "schedule": "cosine",
        "ema_halflife_images": 2000,
        "validate_images": 4000,
        "sample_images": 8000,
        "checkpoint_images": 8000,
        "precision": "auto",
        "compile": False,  # feature maps are read by hooks, which a compiled network does not call
    }
    said = {s.partition("=")[0].strip().removeprefix("train.") for s in settings if s.startswith("train.")}
    train = msgspec.structs.replace(cfg.train, **{key: value for key, value in usual.items() if key not in said})
    return config.check(msgspec.structs.replace(cfg, train=train))


def tabulate(teacher: Timed, students: Sequence[Timed]) -> Table:
    """What was measured, the fastest last."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("generator", "ms", "speed", "MMAC", "backend"):
        table.add_column(column, justify="left" if column in ("generator", "backend") else "right", no_wrap=True)
    rows = [("the teacher", teacher)] + [(describe(each, teacher, students), each) for each in students]
    if teacher.eager_ms is not None:
        rows.append(("the teacher", replace(teacher, ms=teacher.eager_ms, backend=EAGER)))
    for name, each in sorted(rows, key=lambda row: -row[1].ms):
        speed = f"{teacher.ms / each.ms:.1f}x"
        table.add_row(
            name, f"{each.ms:.2f}", speed, f"{each.macs / 1e6:,.{0 if each.macs > 1e7 else 1}f}", each.backend
        )
    return table


def describe(student: Timed, teacher: Timed, students: Sequence[Timed]) -> str:
    """The settings in which the students differ, else those in which this one does from its teacher; of a truth, its
    name where it holds."""
    own = msgspec.to_builtins(student.cfg)

    def find(among: Sequence[Timed]) -> list[tuple[str, Any]]:
        every = [msgspec.to_builtins(each.cfg) for each in among]
        varied = [key for key in own if key != "train" and len({str(values[key]) for values in every}) > 1]
        return [(key, own[key]) for key in varied if own[key] not in (None, False)]

    told = (find(students) if len(students) > 1 else []) or find((teacher, student))
    return " ".join(key if value is True else f"{key}={value}" for key, value in told)
