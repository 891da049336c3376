"""Places to write to that hold no files: pipes, devices, and the streams of this process by their names in /dev."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import stat
import time
from contextlib import suppress
from pathlib import Path

STDOUT = ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")
_STREAMS = {**dict.fromkeys(STDOUT, 1), **dict.fromkeys(("/dev/stderr", "/dev/fd/2", "/proc/self/fd/2"), 2)}
_PATIENCE_S = 3.0  # from here on a reader that does not come is spoken of
_POLL_S = 0.05

log = logging.getLogger("edgegan.files")


def is_special(path: Path) -> bool:
    """Whether what is at `path` is neither file nor folder, or is a stream of this process, whatever that leads to."""
    if str(path) in _STREAMS:
        return True
    mode = _mode(path)
    return mode is not None and not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def is_null(path: Path) -> bool:
    """Whether `path` is the device that takes everything and keeps nothing, perhaps by a link."""
    with suppress(OSError, ValueError):
        return os.path.samestat(os.stat(path), os.stat(os.devnull)) and not path.is_file()
    return False


def write_special(source: Path, path: Path) -> None:
    """Copies a file into a pipe, a device or a stream; raises OSError."""
    # A stream that leads to a file is not opened again: that would begin anew at its beginning.
    stream = os.dup(_STREAMS[str(path)]) if str(path) in _STREAMS else open_pipe(path)
    with open(source, "rb") as whole, open(path if stream is None else stream, "wb") as out:
        shutil.copyfileobj(whole, out)


def open_pipe(path: Path) -> int | None:
    """The named pipe at `path`, open for writing, once a program reads it; None at once for all else.

    Where none comes for a while it says so, once. An ordinary open would wait as well, but in silence, and deaf to
    Ctrl-C. Who then opens the pipe by its name must keep this descriptor until that is done: a reader without a writer
    has come to its end.
    """
    mode = _mode(path)
    if mode is None or not stat.S_ISFIFO(mode) or not hasattr(os, "O_NONBLOCK") or str(path) in _STREAMS:
        return None
    began, said = time.monotonic(), False
    while True:
        try:
            pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            os.set_blocking(pipe, True)
            return pipe
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
        if not said and time.monotonic() - began > _PATIENCE_S:
            said = True
            log.warning("%s is a pipe: waiting for a program that reads it", path)
        time.sleep(_POLL_S)


def _mode(path: Path) -> int | None:
    try:
        return os.stat(path).st_mode
    except (OSError, ValueError):
        return None
