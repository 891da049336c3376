"""Where a recording is written, so that what was there before stays until there is something to take its place."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from ...errors import SinkError
from ...special_files import is_special, open_pipe


class RecordedFile:
    """The file of a recording, from its first byte to its name.

    Where nothing is at `path`, it is written there from the beginning. An earlier file stays until `keep`, and the
    recording meanwhile lies beside it under a hidden name: it `waits`. A device is written to as it is, and so is a
    pipe, once somebody reads it. `place` is where the bytes go now, and `plain` says that they can be read back.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.plain = not is_special(path)
            self.place = self._beside() if self.plain and path.exists() else path
            self._pipe = open_pipe(path)
        except OSError as error:
            raise SinkError(f"cannot write {path}: {error.strerror or error}") from None
        self.waits = self.place != path

    def _beside(self) -> Path:
        target = Path(os.path.realpath(self.path))  # a link stays one
        handle, name = tempfile.mkstemp(prefix=".recording-", suffix=self.path.suffix, dir=target.parent)
        os.close(handle)
        os.chmod(name, stat.S_IMODE(target.stat().st_mode))
        return Path(name)

    def release(self) -> None:
        """To be called once all is written: the reader of a pipe then sees the end."""
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None

    def keep(self) -> None:
        """Puts the recording, finished or not, in the place of the earlier file."""
        if self.waits:
            with suppress(PermissionError):  # Windows lets nobody rename what is being written: at the end, then
                os.replace(self.place, os.path.realpath(self.path))
                self.place, self.waits = self.path, False

    def discard(self) -> None:
        """Takes the recording away; an earlier file that still waits for it stays."""
        self.release()
        if self.plain:
            with suppress(OSError):
                self.place.unlink()
