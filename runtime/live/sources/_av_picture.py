"""What is read of one picture, and of a stream, through PyAV."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np

from ...model.image import Image

_FASTEST = 120  # frames per second that a file of variable rate may have in an output of a constant one


class Picture(NamedTuple):
    """One decoded picture, (H, W, 3) uint8 BGR, upright, and its times in seconds."""

    image: Image
    time_s: float | None  # as the file or stream tells it
    taken: float | None  # of a live stream, in monotonic seconds
    lasts_s: float  # 0 where it is not told
    decode_s: float


def upright(frame: Any, scaler: Any) -> Image:
    """Phones record lying down and write the turn beside the picture. `scaler` is PyAV's, kept from frame to frame."""
    picture: Image = scaler.reformat(frame, format="bgr24").to_ndarray()
    quarters = round((getattr(frame, "rotation", 0) or 0) / 90) % 4  # counter-clockwise
    return np.ascontiguousarray(np.rot90(picture, quarters)) if quarters else picture


def constant_rate(stream: Any) -> float | None:
    """The constant rate, in frames per second, at which none of a file's pictures is lost; None where there is none
    that is usual for pictures, as in files that tell time by the millisecond alone."""
    rate, average = stream.base_rate, stream.average_rate
    return float(rate) if rate and average and average <= rate <= _FASTEST else None


def mask_password(spec: str) -> str:
    """An address as it may be shown."""
    return re.sub(r"(://)[^/@]*@", r"\1***@", spec)
