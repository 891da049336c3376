"""Standard streams that take whatever is said, in any encoding, and also where there are none."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import TextIO


def make_streams_safe() -> None:
    """Characters that a stream's encoding lacks are replaced, and a closed stream is one that nobody reads.

    Its descriptor is taken too, so that no file which is opened later gets what is said.
    """
    for number, name in ((0, "stdin"), (1, "stdout"), (2, "stderr")):
        _take_descriptor(number)
        stream: TextIO | None = getattr(sys, name)
        if stream is None or stream.closed:
            mode = "r" if number == 0 else "w"
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8", errors="replace"))  # noqa: SIM115 - for good
        elif isinstance(stream, io.TextIOWrapper):
            with suppress(ValueError, OSError):  # one that somebody else has detached
                stream.reconfigure(errors="replace")


def _take_descriptor(number: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        with suppress(OSError):
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
