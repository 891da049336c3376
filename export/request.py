"""What was asked of an export, and what it reports."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgegan.runtime.errors import InputError
from edgegan.runtime.model.verification import Verification

from .matrix import Wanted, plan
from .trt.options import EngineOptions

MAX_BATCH = 64  # of a fixed batch

Progress = Callable[[str, int, int], None]  # (what, done, of how many)


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    source: Path  # a run folder or a checkpoint
    out: Path | None = None  # default: export/ in the run
    trt: bool = False  # a float16 TensorRT engine as well
    size_hw: tuple[int, int] | None = None  # default: the size the model was trained at
    data: str | None = None  # held-out pictures from here; default: the run's own data
    pictures: int = 64  # held-out pictures to verify on, each with every edit
    precisions: tuple[str, ...] = ()  # of fp32, fp16, int8; empty: fp32 and fp16
    formats: tuple[str, ...] = ()  # of onnx, openvino, engine; empty: the usual one of each precision
    batch: int = 1  # pictures a call
    open_batch: bool = False  # leave the batch open
    open_size: bool = False  # leave height and width open
    as_bytes: bool = False  # pictures as (H, W, 3) uint8 in and out
    calibration: str | None = None  # --data SPEC of the pictures INT8 is calibrated on; default: the run's own data
    min_psnr_db: float | None = None  # what INT8 has to reach on the worst picture; default: the family's tolerance
    instance_norm: str = "plain"  # of `graph.instance_norm.KINDS`: how instance norms are written
    engine: EngineOptions = EngineOptions()  # how TensorRT engines are built
    settings: tuple[str, ...] = ()  # `key=value` on top of the run's config: how the model runs, not what it is

    @property
    def wanted(self) -> tuple[Wanted, ...]:
        """The artefacts to make; raises InputError for a combination that cannot be."""
        return plan(self.precisions, self.formats, trt=self.trt)


@dataclass(frozen=True)
class Row:
    """One artefact on one backend."""

    path: Path
    precision: str
    size_bytes: int
    backend: str
    verification: Verification


def parse_batch(text: str) -> int:
    """A number of pictures a call, from 1 to MAX_BATCH; raises InputError for anything else."""
    if not re.fullmatch(r"\d{1,4}", text) or not 1 <= int(text) <= MAX_BATCH:
        raise InputError(f"--batch {text}: not a batch", f"a number from 1 to {MAX_BATCH}, or: --batch dynamic")
    return int(text)


def parse_size(text: str) -> tuple[int, int]:
    """`HxW`, or `S` for a square, as (height, width); raises InputError for anything else."""
    found = re.fullmatch(r"\s*(\d{1,5})(?:\s*[xX×]\s*(\d{1,5}))?\s*", text)
    height, width = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if height < 1 or width < 1:
        raise InputError(
            f"--size {text}: not a size", "height x width, as in: --size 128x160, or --size 128 for a square"
        )
    return height, width
