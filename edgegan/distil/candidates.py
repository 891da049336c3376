"""Which shape a student gets: every candidate is exported untrained, and timed on this machine."""

from __future__ import annotations

import math
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from edgegan.config import BaseConfig
from edgegan.export.graph import trace
from edgegan.families import ExportSpec
from edgegan.runtime.backends.choice import candidates_of, open_candidate
from edgegan.runtime.backends.tuning.tuner import example
from edgegan.runtime.backends.tuning.turns import time_in_turns
from edgegan.runtime.errors import BackendError, EdgeganError, InputError

from .teacher import Teacher, find_generators

EAGER = "PyTorch"
SECONDS = 0.5  # for each pair of a candidate and a backend
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Budget:
    """How fast a student has to be: so many times as fast as its teacher, or so many milliseconds a picture."""

    value: float
    times: bool

    @staticmethod
    def parse(text: str) -> Budget:
        """Reads "10x" or "5ms"; raises InputError for anything else."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(x|ms)", text.strip().lower())
        if found is None or not float(found[1]):
            raise InputError(f"--budget {text}", "10x (ten times as fast as the teacher) or 5ms (a picture, at most)")
        return Budget(float(found[1]), found[2] == "x")

    def limit(self, teacher_ms: float) -> float:
        """The most milliseconds."""
        return teacher_ms / self.value if self.times else self.value

    def __str__(self) -> str:
        return f"{self.value:g}{'x' if self.times else 'ms'}"


@dataclass(frozen=True)
class Timed:
    """One shape of a generator, in its fastest backend."""

    cfg: BaseConfig
    ms: float  # a picture, float32, the least of many: what else the machine does adds to some of them
    backend: str
    macs: float  # multiply-accumulates of one picture
    parameters: int
    eager_ms: float | None = None  # the same in PyTorch, of the teacher alone


def measure(
    teacher: Teacher, students: Sequence[BaseConfig], device: str, threads: int | None, tell: Tell
) -> list[Timed]:
    """The teacher first, then each student, all timed in turns; where a family has two generators, the first of them.

    Raises BackendError where no backend here runs ONNX files.
    """
    cfgs = [teacher.run.cfg, *students]
    found: list[Timed] = []
    calls: list[Callable[[], object]] = []
    owners: list[tuple[int, str]] = []
    torch.manual_seed(0)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for number, cfg in enumerate(cfgs):
            tell("exporting untrained candidates", number, len(cfgs))
            family = teacher.run.family
            nets = teacher.nets if number == 0 else family.networks(cfg)
            spec = next(iter(find_generators(family, cfg, nets, teacher.run.data, latents=0).values()))
            model = trace.to_onnx(spec)
            artefact = trace.save(model, spec.card, folder / str(number) / "model.onnx")
            for pair in candidates_of(artefact, "auto", device, among=(artefact,)):
                try:
                    opened = open_candidate(pair, threads, strict=False)[0]
                except EdgeganError:  # its library or device is not here
                    continue
                stack.callback(opened.close)
                call = partial(opened.run, example(artefact, artefact.card.batch[0]))
                for _ in range(2):  # the first calls of a library load, compile and take memory
                    call()
                calls.append(call)
                owners.append((number, opened.name if opened.device == "cpu" else f"{opened.name} on {opened.device}"))
            found.append(Timed(cfg, math.inf, "", count_macs(spec), sum(p.numel() for p in spec.module.parameters())))
            if number == 0 and (device == "cpu" or not torch.cuda.is_available()):
                stack.callback(torch.set_num_threads, torch.get_num_threads())
                torch.set_num_threads(threads or torch.get_num_threads())
                calls.append(partial(torch.inference_mode()(spec.module), *_example_inputs(spec)))
                owners.append((0, EAGER))
        if not calls:
            raise BackendError(
                "no backend here runs ONNX files", "students are chosen by measured time", "pip install 'edgegan[cpu]'"
            )
        tell("timing them in turns", 0, 1)
        # Of one thread the processor's own time can be told, which other work on a busy machine does not lengthen.
        alone = threads == 1 and all(" on " not in backend for _, backend in owners)
        clock = time.process_time if alone else time.perf_counter
        times = time_in_turns(calls, SECONDS, clock, hopeless=math.inf, summary=min)
    for (number, backend), ms in zip(owners, times, strict=True):
        if backend == EAGER:
            found[number] = replace(found[number], eager_ms=ms)
        elif ms < found[number].ms:
            found[number] = replace(found[number], ms=ms, backend=backend)
    return found


def choose(budget: Budget, teacher: Timed, students: Sequence[Timed]) -> Timed:
    """Of the students within the budget, the one that computes the most: the largest that is fast enough.

    Raises InputError where none is.
    """
    limit = budget.limit(teacher.ms)
    fits = [each for each in students if each.ms <= limit]
    if not fits:
        best = min(students, key=lambda each: each.ms)
        raise InputError(
            f"--budget {budget}: no student is that fast here; of {len(students)}, the fastest takes {best.ms:.2f} ms, "
            f"{teacher.ms / best.ms:.1f}x the teacher's speed ({teacher.ms:.2f} ms)",
            f"at most {math.floor(teacher.ms / best.ms * 10) / 10:g}x, or {math.ceil(best.ms * 10) / 10:g}ms or more",
        )
    return max(fits, key=lambda each: each.macs)


def count_macs(spec: ExportSpec) -> float:
    """Multiply-accumulates of one picture (convolutions and matrix products)."""
    from torch.utils.flop_counter import FlopCounterMode

    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        spec.module(*_example_inputs(spec))
    return float(counter.get_total_flops()) / 2


def _example_inputs(spec: ExportSpec) -> list[torch.Tensor]:
    """Of one picture."""
    return [torch.zeros([1, *(int(n) for n in port.shape[1:])]) for port in spec.card.inputs]
