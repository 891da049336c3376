"""What the session and its fresh processes say to each other: one JSON line a message."""

from __future__ import annotations

import msgspec

from edgegan.runtime.backends import Rebuild

from .subjects import Subject


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What a fresh process is for. `scratch` holds `in.<name>.npy`, one array for each input."""

    subject: Subject
    stem: str
    folder: str
    threads: int
    scratch: str
    rebuild: Rebuild = "never"  # an engine that was built for another machine
    pictures: int = 0  # > 0: draw so many held-out inputs from the run, write them to `scratch`, and end


class Visit(msgspec.Struct, frozen=True, tag=True):
    """Run so many times, after one call that does not count."""

    calls: int


class Outputs(msgspec.Struct, frozen=True, tag=True):
    """Run every input, one at a time, and write `out.<subject>.<name>.npy`."""


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The network is loaded and gave its first result."""

    open_s: float  # importing the library and loading the network
    first_s: float  # the first result
    peak_mib: float  # resident memory, at its highest, after the first few results
    device: str
    notices: tuple[str, ...] = ()


class Times(msgspec.Struct, frozen=True, tag=True):
    """The latency of each counted call, in milliseconds."""

    ms: list[float]


class Done(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The files are written; for drawn inputs, with the model's card as JSON and where the pictures came from."""

    card: str = ""
    note: str = ""


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """It cannot be done, in words for the user."""

    reason: str


Ask = Visit | Outputs
Reply = Ready | Times | Done | Failed
