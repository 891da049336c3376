"""In which order the backends are asked, and the record of what was chosen and why."""

from __future__ import annotations

from typing import Literal

import msgspec

from ..model.artefact import Artefact
from ..model.verification import Verification
from .device import Device, Target
from .processor import other_processor

# Taken when asked for, or when the card verified them: what few have tried, or nobody yet, and ONNX Runtime's TensorRT
# provider, whose first load builds an engine for minutes. What it gains over CUDA, an engine file gains too.
_RELUCTANT = ("gpu", "npu", "vulkan", "directml", "coreml", "qnn", "migraphx", "xnnpack", "onnxruntime-tensorrt")


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A file on a backend and a device, with what its card knows of that, and what was measured here.

    `proof` says how it was verified, or why it is tried without. `file` is named where there are several. `why_not`
    is what kept it from being measured.
    """

    artefact: Artefact
    target: Target
    status: Literal["passed", "failed", "not_run"]
    reason: str = ""
    proof: str
    latency_ms: float | None = None
    measured_ms: float | None = None
    why_not: str = ""
    file: str = ""

    def __str__(self) -> str:
        return f"{self.target.backend} on {self.target.device}" + (f" ({self.file})" if self.file else "")

    @property
    def why(self) -> str:
        """What speaks for it: its proof, and how long a call takes."""
        if self.measured_ms is not None:
            return f"{self.proof}, {self.measured_ms:.1f} ms measured on this machine"
        if self.latency_ms is not None:
            return f"{self.proof}, {self.latency_ms:.1f} ms when it was measured"
        return self.proof


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which backend and device run a model and why; for each other pair, why not. `notices` are for the user.

    `artefact` is what was loaded, which may be another file than the one in hand where a folder was named, and
    `file` its name there.
    """

    backend: str
    device: str
    why: str
    artefact: Artefact | None = None
    file: str = ""
    others: dict[str, str] = {}
    notices: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The record in words, one line for each pair, the chosen one first."""
        of = f" ({self.file})" if self.file else ""
        return [f"{self.backend} on {self.device}{of}: {self.why}"] + [
            f"not {pair}: {w}" for pair, w in self.others.items()
        ]


def rank(artefact: Artefact, able: dict[str, tuple[str, ...]], device: str) -> list[Candidate]:
    """The pairs that fit `device` ("auto" for any), the fastest first; what the card calls failed comes last.

    `able` maps each backend that can load the file to the kinds of device it knows, in the table's order. GPUs go
    before the CPU. On one kind of device, the latencies on the card decide; without them an fp32 or fp16 ONNX file
    goes to ONNX Runtime first, and all else in the table's order.
    """
    candidates = []
    wanted = Device.parse(device)
    for name, kinds in able.items():
        for kind in kinds:
            known = verification(artefact, name, kind)
            asked = wanted.kind == kind
            willing = kind not in _RELUCTANT and (name not in _RELUCTANT or len(able) == 1)
            offered = willing or (known is not None and known.status == "passed")
            if asked or (device == "auto" and offered):
                target = Target(name, wanted if asked else Device(kind))
                candidates.append(_candidate(artefact, target, known))
    if artefact.card.precision == "int8":
        candidates.sort(key=lambda c: c.target.backend != "openvino")  # 4 to 5 times faster there; both sorts keep ties
    return sorted(candidates, key=_order)


def _order(candidate: Candidate) -> tuple[bool, bool, float]:
    on_cpu = candidate.target.device.kind == "cpu"
    return candidate.status == "failed", on_cpu, candidate.latency_ms or float("inf")


def verification(artefact: Artefact, backend: str, kind: str) -> Verification | None:
    """What the card says about a pair; `not_run` for a CPU's figures of a processor of another kind than this one."""
    known = artefact.card.verification.get(Target(backend, Device(kind)).entry)
    if known is None or known.status == "not_run" or kind != "cpu":
        return known
    there = other_processor(artefact.card, known)
    if not there:
        return known
    return msgspec.structs.replace(known, status="not_run", reason=f"measured on a processor of another kind ({there})")


def _candidate(artefact: Artefact, target: Target, known: Verification | None) -> Candidate:
    if known is None or known.status == "not_run":
        proof = f"the first choice for {artefact.card.precision} that is here"
        return Candidate(artefact=artefact, target=target, status="not_run", proof=proof)
    return Candidate(
        artefact=artefact,
        target=target,
        status=known.status,
        reason=known.reason,
        proof=f"verified ({known.psnr_worst_db:.0f} dB)" if known.psnr_worst_db is not None else "verified",
        latency_ms=known.latency_ms,
    )
