"""The figures of one backend: how close it comes to fp32 eager on the golden pairs."""

from __future__ import annotations

from typing import Literal

import msgspec


class Verification(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How close one backend comes to fp32 eager on the golden pictures; PSNR in dB over the value range."""

    status: Literal["passed", "failed", "not_run"]
    reason: str = ""
    pictures: int = 0
    max_abs: float | None = None
    mean_abs: float | None = None
    psnr_mean_db: float | None = None
    psnr_worst_db: float | None = None
    ssim_mean: float | None = None  # of pictures; 1 is identical
    ssim_worst: float | None = None
    corners_db: dict[str, float] = msgspec.field(default_factory=dict)  # worst PSNR by call: "batch x height x width"
    architecture: str = ""  # of a CPU's figures, such as "aarch64"; empty: that of the system the file was built on
    latency_ms: float | None = None  # median of one call at export, where it was measured
    tolerance: dict[str, float] = msgspec.field(default_factory=dict)
