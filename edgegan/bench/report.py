"""What a benchmark found, as one value: written as JSON, shown as Markdown and as a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edgegan.runtime.errors import InputError
from edgegan.runtime.files import write_atomic

from .machine import Machine
from .subjects import Absent
from .timing import Latency, SpeedUp

if TYPE_CHECKING:
    from rich.table import Table

SCHEMA = 1


class Fidelity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How close the outputs come to the reference; `max_abs` is None where an output was not finite."""

    psnr_mean_db: float
    psnr_worst_db: float
    max_abs: float | None
    pictures: int


class ColdStart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fastest of `starts` fresh processes, in seconds; `total_s` also holds the start of Python."""

    total_s: float
    open_s: float
    first_s: float
    starts: int


class Result(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One subject's figures. `baseline` is the id of the subject that its speed-up is held against."""

    id: str
    title: str
    engine: str
    precision: str
    device: str
    file: str  # the artefact's name; empty for PyTorch
    latency_ms: Latency
    fps: float  # 1000 / p50
    baseline: str
    speedup: SpeedUp
    fidelity: Fidelity | None  # None for the reference itself
    cold_start: ColdStart
    peak_memory_mib: float
    notes: tuple[str, ...] = ()


class Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was measured: the card's name, family and task, and the shape of each input."""

    name: str
    family: str
    task: str
    inputs: dict[str, tuple[int | str, ...]]


class Protocol(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How it was measured."""

    threads: int
    rounds: int
    order: tuple[str, ...]  # the ids, as they took turns in every round
    calls_per_visit: dict[str, int]
    environment: dict[str, str]  # what keeps idle threads asleep
    inputs: str
    reference: str


class Report(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole benchmark."""

    schema: int = SCHEMA
    date: str  # UTC, YYYY-MM-DD
    command: str
    model: Model
    machine: Machine
    protocol: Protocol
    results: tuple[Result, ...]
    absent: tuple[Absent, ...]
    notices: tuple[str, ...] = ()

    def to_json(self) -> bytes:
        """The report as indented UTF-8 JSON with a final newline."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"

    @classmethod
    def from_json(cls, data: bytes) -> Report:
        """The inverse of `to_json`; raises InputError for anything else."""
        try:
            return msgspec.json.decode(data, type=cls)
        except msgspec.MsgspecError as error:
            raise InputError(f"not a readable benchmark report: {error}", todo="make it again: edgegan bench") from None

    def write_json(self, path: Path) -> None:
        """Writes the report, atomically."""
        write_atomic(path, self.to_json())

    def write_markdown(self, path: Path) -> None:
        """Writes the report as Markdown, atomically."""
        write_atomic(path, self.markdown().encode())

    def title_of(self, id_: str) -> str:
        """The title of a result."""
        return next(r.title for r in self.results if r.id == id_)

    @property
    def baselines(self) -> tuple[str, ...]:
        """The titles of what speed-ups are held against: one for each kind of device."""
        return tuple(dict.fromkeys(self.title_of(r.baseline) for r in self.results))

    def table(self) -> Table:
        """The figures for a terminal, in the order in which they took turns."""
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for i, head in enumerate(_HEAD):
            table.add_column(head, justify="right" if i else "left", no_wrap=i > 0, overflow="fold")
        for result in self.results:
            table.add_row(*_cells(result), style="" if result.id != result.baseline else "dim")
        return table

    def why_absent(self) -> list[str]:
        """One line for each reason, with all that was not measured because of it."""
        reasons: dict[str, list[str]] = {}
        for absent in self.absent:
            reasons.setdefault(absent.reason, []).append(absent.title)
        return [f"not measured: {', '.join(titles)}: {reason}" for reason, titles in reasons.items()]

    def lines(self) -> list[str]:
        """What belongs under the table: how to read it, what is missing, and what to beware of."""
        return [
            f"speed-up: over {' and '.join(self.baselines)}, the median of the ratios of {self.protocol.rounds} rounds",
            f"PSNR and max abs: against {self.protocol.reference}",
            *self.why_absent(),
            *(f"note: {r.title}: {note}" for r in self.results for note in r.notes),
            *(f"beware: {notice}" for notice in self.notices),
        ]

    def markdown(self) -> str:
        """The whole report as one page."""
        machine, protocol = self.machine, self.protocol
        shapes = ", ".join(f"{name} {'x'.join(map(str, shape))}" for name, shape in self.model.inputs.items())
        versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
        quiet = ", ".join(f"{k}={v}" for k, v in protocol.environment.items())
        virtual = ", virtual machine" if machine.virtual else ""
        memory = f", {machine.memory_gib} GiB" if machine.memory_gib else ""
        load = "unknown" if machine.load_before is None else str(machine.load_before)
        head = [
            f"# Benchmark of {self.model.name}",
            "",
            f"{self.date}, `{self.command}`",
            "",
            "| | " + " | ".join(_HEAD[1:]) + " |",
            "|---|" + "---:|" * (len(_HEAD) - 1),
        ]
        rows = ["| " + " | ".join(_cells(result)) + " |" for result in self.results]
        about = [
            "",
            *(f"- {line}" for line in self.lines()),
            "",
            f"- model: {self.model.name} ({self.model.family}, {self.model.task}), batch 1: {shapes}",
            f"- processor: {machine.cpu}, {machine.cores} cores{virtual}{memory}; "
            f"flags: {' '.join(machine.flags) or 'unknown'}",
            f"- GPU: {'; '.join(machine.gpus) or 'none'}",
            f"- system: {machine.os}, {machine.python}; {versions}",
            f"- load average before: {load}",
            f"- {protocol.threads} threads everywhere; spinning off ({quiet}, session.intra_op.allow_spinning=0)",
            f"- {protocol.rounds} rounds, turns in the order of the table; calls each turn: "
            + ", ".join(str(protocol.calls_per_visit[r.id]) for r in self.results),
            f"- inputs: {protocol.inputs}",
            "- a call: numpy arrays in, numpy arrays out, transfers to and from a GPU included",
            "- start: from starting Python to the first result, the fastest of "
            f"{max((r.cold_start.starts for r in self.results), default=0)} fresh processes; "
            "memory: peak resident of that process",
        ]
        return "\n".join([*head, *rows, *about]) + "\n"


_HEAD = (
    *("", "p50 ms", "p95 ms", "p99 ms", "fps", "speed-up"),
    *("PSNR dB mean", "worst", "max abs", "start s", "MiB"),
)


def _cells(result: Result) -> tuple[str, ...]:
    times, close = result.latency_ms, result.fidelity
    figures = (
        ("reference", "", "")
        if close is None
        else (
            f"{close.psnr_mean_db:.1f}" if close.psnr_mean_db < 200 else "identical",
            f"{close.psnr_worst_db:.1f}" if close.psnr_worst_db < 200 else "identical",
            "not finite" if close.max_abs is None else f"{close.max_abs:.1e}",
        )
    )
    return (
        result.title,
        *(f"{v:.{3 if v < 1 else 2 if v < 10 else 1}f}" for v in (times.p50, times.p95, times.p99)),
        f"{result.fps:.1f}",
        f"{result.speedup.median:.2f}x",
        *figures,
        f"{result.cold_start.total_s:.1f}",
        f"{result.peak_memory_mib:.0f}",
    )
