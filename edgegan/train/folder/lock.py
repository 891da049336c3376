"""One training in a run folder at a time: a lock that lasts as long as its process, and no longer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edgegan.runtime.errors import InputError, TrainingError

NAME = ".training"  # holds the process id of the owner; gone when the training has ended in order


@contextmanager
def hold_run_folder(folder: Path) -> Iterator[None]:
    """Holds the lock of a run folder, which is made if it is not there; a folder left empty is removed again.

    The system gives the lock back when the process ends, however it ends. Where the system or the drive knows no
    such locks, nothing is held.

    Raises:
        TrainingError: another process trains in this folder; its process id is named.
        InputError: the folder cannot be made or written.
    """
    made = [path for path in (folder, *folder.absolute().parents) if not path.exists()]
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle = _acquire(folder / NAME)
        except OSError as error:
            raise InputError(f"cannot write {folder}: {error.strerror}") from error
        try:
            yield
        finally:
            _release(handle, folder / NAME)
    finally:
        for path in made:
            with suppress(OSError):  # not empty: the usual case
                path.rmdir()


def _acquire(path: Path) -> int:
    """An open handle of the file, with its lock."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(handle, path)
            # The owner before may have removed the file after it was opened here: a lock on it would bind nobody.
            if _same_file(handle, path):
                _write_owner(handle, path)
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _write_owner(handle: int, path: Path) -> None:
    try:
        os.ftruncate(handle, 0)
        os.write(handle, str(os.getpid()).encode())
    except OSError:  # a full disk
        path.unlink()  # while it is still held: see _acquire
        raise


def _release(handle: int, path: Path) -> None:
    with suppress(OSError):
        path.unlink()  # while it is still held: see _acquire
    os.close(handle)


def _lock(handle: int, path: Path) -> None:
    try:
        import fcntl
    except ImportError:  # not a POSIX system
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(handle, 32, 0).decode("ascii", "replace").strip()
        raise TrainingError(
            f"{path.parent}: another training is running in this folder" + (f" (process {owner})" if owner else ""),
            todo="wait for it, stop it, or name another folder with --out",
        ) from None
    except OSError:  # a drive without locks
        return


def _same_file(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False
