"""Standard streams that take whatever is said, in any encoding, and also where there are none."""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from typing_extensions import Buffer

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # the last: of a terminal that is gone


def make_streams_safe() -> None:
    """Characters that a stream's encoding lacks are replaced, and a closed stream is one that nobody reads.

    Its descriptor is taken too, so that no file which is opened later gets what is said. What a full disk does not
    take of a log is lost, and not the work that it tells of: `lost_words` then says so.
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
                if number and type(stream) is io.TextIOWrapper and type(_raw(stream)) is io.FileIO:
                    setattr(sys, name, _forgiving(stream))


def words_of_loss() -> str:
    """Why what was said to stdout or stderr is not all there, in words; "" where it is."""
    for name in ("stdout", "stderr"):
        raw = _raw(getattr(sys, name))
        if isinstance(raw, _Forgiving):
            with suppress(OSError, ValueError):
                getattr(sys, name).flush()
            if raw.why:
                return f"{name} is not whole: {raw.why}"
    return ""


class _Forgiving(io.FileIO):
    """A stream whose words can be done without; `why` tells why some were lost."""

    why = ""

    def write(self, data: Buffer, /) -> int:
        """Writes, or loses, all of `data`."""
        try:
            return super().write(data)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            self.why = error.strerror or str(error)
            return memoryview(data).nbytes


def _raw(stream: TextIO) -> object:
    """What writes to the descriptor, behind a buffer or, in Python's unbuffered mode, without one."""
    buffer = getattr(stream, "buffer", None)
    return getattr(buffer, "raw", buffer)


def _forgiving(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    stream.flush()
    raw = _Forgiving(stream.fileno(), "wb", closefd=False)
    return io.TextIOWrapper(
        raw if isinstance(stream.buffer, io.FileIO) else io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors="replace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def _take_descriptor(number: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        with suppress(OSError):
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
