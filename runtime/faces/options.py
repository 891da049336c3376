"""Which faces of a video are edited, and how they are found, followed and put back."""

from __future__ import annotations

import math
from typing import Any, Literal

import msgspec

from ..errors import InputError
from . import Point

Which = Literal["all", "largest"] | int | Point


class FaceOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How the faces of a video are found, chosen and put back.

    which: "all", "largest", the N largest, or the one at a place (x, y) in pixels of the frame; see `Tracker`.
    smooth: filter the landmarks over time; else each detection is taken as it is.
    beside: search in a thread, between one frame and the next, for live streams. What comes out then depends on the
        machine's pace. Else every frame is searched, and the same frames give the same pictures.
    colour_match: give the edit the colours of the frame around it; see `blending.match_colours`.
    guard: drop slight changes, which no edit means; see `blending.guard_mask`.
    any_pose: edit also faces that lie on their side, are upside down or turned far away; else they are left alone, as
        `landmarks.refuse_pose` says.
    """

    which: Which = "all"
    smooth: bool = True
    beside: bool = False
    colour_match: bool = False
    guard: bool = False
    any_pose: bool = False


def check_which(which: Any) -> Which:
    """`which` itself; raises InputError if it says no faces."""
    point = isinstance(which, tuple) and len(which) == 2
    point = point and all(isinstance(v, (int, float)) and math.isfinite(v) for v in which)
    number = isinstance(which, int) and not isinstance(which, bool) and which > 0
    if not (point or number or which in ("all", "largest")):
        raise InputError(f"the faces {which!r} were asked for", "all, largest, a number from 1, or a place (x, y)")
    chosen: Which = which
    return chosen
