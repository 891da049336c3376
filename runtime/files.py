"""Files that are whole or absent: atomic writes, hashes, and where costly things are kept."""

from __future__ import annotations

import atexit
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path

from .errors import InputError
from .special_files import is_special, write_special

_STEM = 40  # characters of a name in that of its temporary, which may not be longer than a file's name can be


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`; on success it is synced and renamed to `path`, else removed.

    The temporary keeps the suffix of `path`, since writers choose their format by it. A link stays one: what it
    leads to is replaced. A pipe or a device is written to at the end, and stays what it is. Raises InputError when
    the disk is full or the folder cannot be written.
    """
    try:
        special = is_special(path)
        path = path if special else Path(os.path.realpath(path))
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{path.stem[:_STEM]}.", suffix=path.suffix, dir=None if special else path.parent
        )
        os.close(handle)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error
    temporary = Path(name)
    try:
        yield temporary
        if special:
            return write_special(temporary, path)
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())  # mkstemp makes private files; artefacts are for sharing
        os.replace(temporary, path)
    except OSError as error:
        todo = "free some disk space" if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else ""
        raise InputError(f"cannot write {path}: {error.strerror or error}", todo=todo) from error
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)


def write_atomic(path: Path, data: bytes) -> None:
    """Writes `data` to `path` so that a reader sees the old file or the new one, never half."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Lets one at a time in, of all threads and processes that lock `folder`; makes it. Raises InputError if it cannot.

    Where the system or the drive knows no such locks, all are let in.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write {folder}: {error.strerror}") from error
    with ExitStack() as stack:
        with suppress(ImportError, OSError):
            import fcntl

            handle = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, handle)  # and with it the lock, also when the process is killed
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yields an empty folder beside `path` that becomes `path` on success, and is removed otherwise.

    Raises InputError if `path` already holds something, or cannot be written.
    """
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise InputError(f"{path} exists and is not an empty folder", todo="name another one with --out, or remove it")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error
    try:
        yield temporary
        os.chmod(temporary, 0o777 & ~_umask())  # mkdtemp makes private folders
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}", todo="free some disk space") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, as hex."""
    digest = hashlib.sha256()  # hashlib.file_digest came with Python 3.11; the runtime also serves 3.10
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def home_folder(variable: str, beneath: str) -> Path | None:
    """`$variable/edgegan`, else `~/beneath/edgegan`; None for a user who has no home."""
    named = os.environ.get(variable)
    try:
        return Path(named or Path.home() / beneath) / "edgegan"
    except RuntimeError:
        return None


def cache_folder() -> Path:
    """$XDG_CACHE_HOME/edgegan, else ~/.cache/edgegan. Anything in it may be deleted at any time.

    Where that cannot be written, or the user has no home, a folder that this process takes away at its end:
    `cache_note` then says so.
    """
    folder = home_folder("XDG_CACHE_HOME", ".cache")
    if folder is not None:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK | os.X_OK):
                return folder
    return _passing_folder()


def cache_note() -> str:
    """Why nothing is cached, in words; "" as long as that was not noticed."""
    return _NOT_CACHED if _passing_folder.cache_info().currsize else ""


_NOT_CACHED = "nothing is cached: there is no folder for it that can be written (XDG_CACHE_HOME=FOLDER names one)"


@cache
def _passing_folder() -> Path:
    folder = tempfile.mkdtemp(prefix="edgegan-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _umask() -> int:
    """The process's mask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
