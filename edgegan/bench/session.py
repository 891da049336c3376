"""One benchmark from start to end: plan, start, compare, take turns, report."""

from __future__ import annotations

import datetime
import shlex
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from edgegan.runtime.backends import Rebuild
from edgegan.runtime.errors import BackendError, EdgeganError
from edgegan.runtime.model import artefact as artefacts

from . import machine as machines
from . import pairs as inputs
from .comparison import Started, compute_results
from .fresh import QUIET, Worker, WorkerFailedError
from .messages import Job, Outputs
from .report import ColdStart, Model, Protocol, Report
from .subjects import Absent, check_choice, plan
from .targets import resolve
from .timing import WARM_MS, Round, calls_per_visit, interleave, warm_up

Progress = Callable[[str, float], None]  # what is going on, and how much of the whole is done, in [0, 1]
_STARTED = 0.4  # the share of the whole that starting and comparing takes, for the progress bar


@dataclass(frozen=True)
class Request:
    """What the user asked for.

    `path` None means the shipped model; `threads` None means every core. `seconds` are those of counted calls for
    each subject; `iterations`, where given, counts calls instead. `pictures` inputs are compared; each subject
    is started `starts` times. With `rebuild` "auto", an engine of another machine is first built again for this one,
    and that one is measured.
    """

    path: Path | None = None
    backends: tuple[str, ...] = ()
    device: str = "auto"
    seconds: float = 10.0
    iterations: int | None = None
    threads: int | None = None
    pictures: int = 64
    starts: int = 2
    rebuild: Rebuild = "never"


def run_benchmark(request: Request, progress: Progress = lambda what, done: None) -> Report:
    """Measures every way to run the model that works here, each in a fresh process of its own.

    Raises:
        InputError: nothing is there, not a model, or an export of another checkpoint than the run's.
        BackendError: an unknown backend or device, or nothing that could be measured.
    """
    check_choice(request.backends, request.device)
    target = resolve(request.path)
    machine = machines.describe()
    subjects, absent = plan(target, request.backends, request.device, cuda=bool(machine.gpus))
    threads = request.threads or machine.cores
    with tempfile.TemporaryDirectory(prefix="edgegan-bench-") as folder, ExitStack() as stack:
        jobs = [
            Job(
                subject=s,
                stem=target.stem,
                folder=target.folder,
                threads=threads,
                scratch=folder,
                rebuild=request.rebuild,
            )
            for s in subjects
        ]
        if not jobs:
            raise _nothing(absent)
        if request.rebuild == "auto":
            _fit(jobs, progress)
        progress("reading the inputs", 0.0)
        pairs = inputs.gather(target, request.pictures, Path(folder), jobs[0])
        started: list[Started] = []
        for number, job in enumerate(jobs):
            progress(f"starting {job.subject.title}", _STARTED * number / len(jobs))
            try:
                started.append(_start(job, request.starts, stack))
            except WorkerFailedError as error:
                absent.append(Absent(title=job.subject.title, reason=error.seen))
                continue
            if job.subject.engine == "eager" and job.subject.precision == "fp32":
                inputs.check_same_model(pairs, job.subject)
        if not started:
            raise _nothing(absent)
        rounds, calls, taken = _take_turns(started, request, progress)
        results, reference = compute_results(started, taken, pairs)
    measured = {s.worker.subject.id: n for s, n in zip(started, calls, strict=True)}
    return Report(
        date=datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        command=_command(request, target.shown),
        model=Model(
            name=pairs.card.name,
            family=pairs.card.family,
            task=pairs.card.task,
            inputs={s.name: s.shape for s in pairs.card.inputs},
        ),
        machine=machine,
        protocol=Protocol(
            threads=threads,
            rounds=rounds,
            order=tuple(measured),
            calls_per_visit=measured,
            environment=dict(QUIET),
            inputs=pairs.source,
            reference=reference,
        ),
        results=results,
        absent=tuple(absent),
        notices=_notices(machine, threads),
    )


def _fit(jobs: Sequence[Job], progress: Progress) -> None:
    """Builds what has to be built again into the cache, where the jobs find it: no cold start shall include it."""
    from edgegan.export.trt.rebuild import fitting

    wanted = {(job.subject.path, job.subject.device) for job in jobs if job.subject.path.endswith(".engine")}
    for path, device in sorted(wanted):
        with suppress(EdgeganError):  # its job fails with the same words
            engine = artefacts.load(path)
            fitting(engine, device=device, on_progress=lambda what, *_: progress(f"building: {what}", 0.0))


def _start(job: Job, starts: int, stack: ExitStack) -> Started:
    """Starts a subject `starts` times, keeps the last process, and has it write what it makes of the inputs."""
    colds = []
    for left in range(starts - 1, -1, -1):
        worker = Worker(job)
        ready = worker.ready
        colds.append(ColdStart(total_s=worker.start_s, open_s=ready.open_s, first_s=ready.first_s, starts=starts))
        if left:
            worker.close()
    stack.callback(worker.close)
    try:
        worker.ask(Outputs())
    except WorkerFailedError:
        worker.close()
        raise
    return Started(worker, min(colds, key=lambda c: c.total_s))


def _take_turns(
    started: Sequence[Started], request: Request, progress: Progress
) -> tuple[int, list[int], list[list[Round]]]:
    """Warms every subject up, then lets them take turns: (rounds, calls per visit, [subject][round][call])."""
    workers = [s.worker for s in started]
    warm_ms = WARM_MS if request.iterations is not None else min(WARM_MS, 200.0 * request.seconds)
    calls, rounds = [], 1
    try:
        for number, worker in enumerate(workers):
            progress(f"warming up {worker.subject.title}", _STARTED + 0.1 * number / len(workers))
            seconds = None if request.iterations is not None else request.seconds
            rounds, count = calls_per_visit(warm_up(worker, warm_ms), seconds=seconds, iterations=request.iterations)
            calls.append(count)
        begin, visits, done = _STARTED + 0.1, rounds * len(workers), 0

        def count_visit() -> None:
            nonlocal done
            done += 1
            progress("taking turns", begin + (1 - begin) * done / visits)

        return rounds, calls, interleave(workers, rounds, calls, count_visit)
    except WorkerFailedError as error:
        raise BackendError(f"a subject stopped while it was measured: {error.seen}") from None


def _notices(machine: machines.Machine, threads: int) -> tuple[str, ...]:
    found = []
    if machine.busy:
        found.append(
            f"the machine was busy before (load average {machine.load_before} on {machine.cores} cores): "
            "latencies are too high and speed-ups uncertain; measure again when it is quiet"
        )
    if threads > machine.cores:
        found.append(f"{threads} threads on {machine.cores} cores")
    return tuple(found)


def _nothing(absent: Sequence[Absent]) -> BackendError:
    reasons = "; ".join(f"{a.title}: {a.reason}" for a in absent)
    return BackendError("nothing could be measured", reasons)


def _command(request: Request, shown: str) -> str:
    """The command that repeats the benchmark; the files to write are left out."""
    words = ["edgegan", "bench", shlex.quote(shown) if shown else ""]
    words += [f"--backend {name}" for name in request.backends]
    words += [f"--device {request.device}"] if request.device != "auto" else []
    words += [f"--seconds {request.seconds:g}" if request.iterations is None else f"--iterations {request.iterations}"]
    words += [f"--rebuild {request.rebuild}"] if request.rebuild != "never" else []
    words += [f"--threads {request.threads}"] if request.threads else []
    words += [f"--pictures {request.pictures}", f"--starts {request.starts}"]
    return " ".join(filter(None, words))
