"""The figures of subjects that took turns: latency, speed-up, fidelity and cold start of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import pairs as inputs
from .fresh import Worker
from .pairs import Pairs
from .report import ColdStart, Result
from .subjects import Subject
from .timing import Round, latency, speed_up


@dataclass(frozen=True)
class Started:
    """A subject's process, ready to be measured, and how long it took to start."""

    worker: Worker
    cold: ColdStart


def compute_results(
    started: Sequence[Started], taken: Sequence[list[Round]], pairs: Pairs
) -> tuple[tuple[Result, ...], str]:
    """Each subject's figures, and in words what their outputs were compared with."""
    subjects = [s.worker.subject for s in started]
    latencies = [latency(rounds) for rounds in taken]
    bases = [_find_baseline(s.kind, subjects, [t.p50 for t in latencies]) for s in subjects]
    eager = next((i for i, s in enumerate(subjects) if s.engine == "eager" and s.precision == "fp32"), None)
    if eager is not None:
        expected, itself, reference = (
            inputs.load_outputs(pairs, subjects[eager].id),
            eager,
            f"{subjects[eager].title}, run here",
        )
    elif pairs.outputs is not None:
        expected, itself, reference = pairs.outputs, None, "PyTorch eager fp32, as stored at export"
    else:
        itself = bases[0]
        expected, reference = (
            inputs.load_outputs(pairs, subjects[itself].id),
            f"{subjects[itself].title}, the slowest here",
        )
    results = []
    for i, (each, times, base) in enumerate(zip(started, latencies, bases, strict=True)):
        subject, ready = subjects[i], each.worker.ready
        deployed = subject.engine not in ("eager", "compile")
        results.append(
            Result(
                id=subject.id,
                title=subject.title,
                engine=subject.engine,
                precision=subject.precision,
                device=ready.device,
                file=Path(subject.path).name if deployed else "",
                latency_ms=times,
                fps=1000.0 / times.p50,
                baseline=subjects[base].id,
                speedup=speed_up(taken[base], taken[i]),
                fidelity=None
                if i == itself
                else inputs.fidelity(pairs, expected, inputs.load_outputs(pairs, subject.id)),
                cold_start=each.cold,
                peak_memory_mib=ready.peak_mib,
                notes=ready.notices,
            )
        )
    return tuple(results), reference


def _find_baseline(kind: str, subjects: Sequence[Subject], p50: Sequence[float]) -> int:
    """The subject that one on this kind of device is compared with: fp32 eager there, else the slowest there."""
    alike = [i for i, s in enumerate(subjects) if s.kind == kind]
    eager = [i for i in alike if subjects[i].engine == "eager" and subjects[i].precision == "fp32"]
    return eager[0] if eager else max(alike, key=lambda i: p50[i])
