"""In which order the backends are asked, and the record of what was chosen and why."""

from __future__ import annotations

from typing import Literal

import msgspec

from ..model.artefact import Artefact
from ..model.verification import Verification
from .device import Device, Target
from .processor import other_arithmetic

# Taken when asked for, or when the card verified them: Intel's gpu and npu, which few have tried, and ONNX Runtime's
# TensorRT provider, whose first load builds an engine for minutes. What it gains over CUDA, an engine file gains too.
_RELUCTANT = ("gpu", "npu", "onnxruntime-tensorrt")


class Candidate(msgspec.Struct, frozen=True):
    """A backend on a device, with what the card knows about the pair."""

    target: Target
    status: Literal["passed", "failed", "not_run"]
    reason: str
    latency_ms: float | None
    why: str

    def __str__(self) -> str:
        return f"{self.target.backend} on {self.target.device}"


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which backend and device run a model and why; for each other pair, why not. `notices` are for the user."""

    backend: str
    device: str
    why: str
    others: dict[str, str] = {}
    notices: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The record in words, one line for each pair, the chosen one first."""
        return [f"{self.backend} on {self.device}: {self.why}"] + [
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
                candidates.append(_candidate(target, known, artefact.card.precision))
    if artefact.card.precision == "int8":
        candidates.sort(key=lambda c: c.target.backend != "openvino")  # 4 to 5 times faster there; both sorts keep ties
    return sorted(candidates, key=_order)


def _order(candidate: Candidate) -> tuple[bool, bool, float]:
    on_cpu = candidate.target.device.kind == "cpu"
    return candidate.status == "failed", on_cpu, candidate.latency_ms or float("inf")


def verification(artefact: Artefact, backend: str, kind: str) -> Verification | None:
    """What the card says about a pair; `not_run` for INT8 that passed on a CPU with other arithmetic than this one."""
    known = artefact.card.verification.get(Target(backend, Device(kind)).entry)
    there = other_arithmetic(artefact.card) if kind == "cpu" else ""
    if known is not None and known.status == "passed" and there:
        reason = f"verified on a processor of another kind ({there})"
        return msgspec.structs.replace(known, status="not_run", reason=reason)
    return known


def _candidate(target: Target, known: Verification | None, precision: str) -> Candidate:
    if known is None or known.status == "not_run":
        return Candidate(target, "not_run", "", None, f"the first choice for {precision} that is here")
    why = f"verified ({known.psnr_worst_db:.0f} dB)" if known.psnr_worst_db is not None else "verified"
    if known.latency_ms is not None:
        why += f", {known.latency_ms:.1f} ms when it was measured"
    return Candidate(target, known.status, known.reason, known.latency_ms, why)
