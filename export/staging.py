"""Export folders appear whole or not at all: files are made in a folder beside the target and moved at the end."""

from __future__ import annotations

import errno
import glob
import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from edgegan.runtime.errors import InputError
from edgegan.runtime.model.artefact import parts
from edgegan.runtime.model.build_info import BuildInfo
from edgegan.train.interrupt import defer_interrupts

from .matrix import REPORTED, report_name

_CARD = ".card.json"
_STAGE = "exporting-"
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}


@contextmanager
def staging(out: Path) -> Iterator[Path]:
    """Yields an empty folder beside `out`, on the same disk, that is gone afterwards whatever happens.

    Raises InputError if the folder cannot be made, or if the disk is full while it is being filled.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out}: there is a file of that name", "a folder")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _clear_leftovers(out)
        folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.{_STAGE}", dir=out.parent))
    except OSError as error:
        raise InputError(
            f"cannot write beside {out}: {error.strerror}", todo="choose another folder with --out"
        ) from error
    try:
        with ExitStack() as stack:
            _hold(folder, stack)
            yield folder
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise InputError(
            f"cannot write the export of {out}: {error.strerror}",
            "nothing was written",
            "free some disk space, or choose another disk with --out",
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(stage: Path, out: Path) -> list[str]:
    """Moves everything from `stage` into `out`, cards last; returns the older artefacts that this replaced for good.

    An artefact of an earlier export under the same stem (an engine, say) that is not written anew goes, and so does a
    report on one: it comes from other weights than the golden pairs that now lie beside it. Files that are not ours
    stay. Ctrl-C is held back meanwhile: it would leave models with the cards of others.
    """
    with defer_interrupts():
        return _publish(stage, out)


def _publish(stage: Path, out: Path) -> list[str]:
    written = sorted(p.relative_to(stage) for p in stage.rglob("*") if p.is_file())
    packages = sorted(p.relative_to(stage) for p in stage.rglob("*.mlpackage"))  # folders that are one artefact
    files = [f for f in written if not any(package in f.parents for package in packages)]
    try:
        for file in written:
            with open(stage / file, "rb+") as handle:
                os.fsync(handle.fileno())
        for file in files:
            (out / file).parent.mkdir(parents=True, exist_ok=True)
        stale = [old for folder in {f.parent for f in files} for old in _stale(out, folder, files)]
        for old in stale:
            (out / old).unlink()  # cards first: without its card nothing looks finished
            _remove(out / _artefact(old))
        for package in packages:
            _remove(out / package)
            os.replace(stage / package, out / package)
        for file in sorted(files, key=lambda f: f.name.endswith(_CARD)):
            os.replace(stage / file, out / file)
    except OSError as error:
        raise InputError(
            f"cannot write into {out}: {error.strerror}", todo="free some disk space, then export again"
        ) from error
    return sorted(map(_artefact, stale))


def reproduce_script(
    source: Path,
    source_sha256: str,
    folder: Path,
    options: Mapping[str, str | None],
    built_with: BuildInfo,
    pins: Mapping[str, str],
) -> str:
    """A shell script that makes the same export again from the same checkpoint, or says that it is another one.

    `options` are those of the command line; a value of None stands for a switch. `built_with` has the versions of
    edgegan and Python, and the system; `pins` are the versions of packages, by the names that pip knows.
    """
    words = [
        part for name, value in options.items() for part in ((name,) if value is None else (name, shlex.quote(value)))
    ]
    relative = Path(os.path.relpath(source.resolve(), folder.resolve()))
    inside_run = relative.parts.count("..") <= 2  # farther away, a path would tell of this machine alone
    default = f"-{shlex.quote(relative.as_posix())}" if inside_run else "?name the checkpoint"
    return f"""#!/bin/sh
# Makes this export again: reproduce.sh [CHECKPOINT [FOLDER]]
# Made by edgegan {built_with.versions["edgegan"]}, Python {built_with.versions["python"]}, {built_with.system}, with
#   {" ".join(f"{package}=={number}" for package, number in pins.items())}
set -eu
cd "$(dirname "$0")"
checkpoint=${{1:{default}}}
echo "{source_sha256}  $checkpoint" | sha256sum -c -
edgegan export "$checkpoint" --out "${{2:-again}}" {" ".join(words)}
""".replace(" \n", "\n")


def _clear_leftovers(out: Path) -> None:
    """Removes the folders of exports to `out` that were killed: nobody holds their locks."""
    for old in out.parent.glob(f".{glob.escape(out.name)}.{_STAGE}*"):
        with ExitStack() as stack:
            if _hold(old, stack):
                shutil.rmtree(old, ignore_errors=True)


def _hold(folder: Path, stack: ExitStack) -> bool:
    """Locks a folder for as long as `stack` is, or its process lives; False if another one does, or nobody can."""
    try:
        import fcntl

        handle = os.open(folder, os.O_RDONLY)
        stack.callback(os.close, handle)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True


def _stale(out: Path, folder: Path, files: list[Path]) -> list[Path]:
    """The cards and reports of earlier artefacts under the stems of `files`."""
    stems = {f.name.partition(".")[0] for f in files if f.parent == folder and f.name.endswith(_CARD)}
    reports = {report_name(stem, precision) for stem in stems for precision in REPORTED}
    there = (out / folder).iterdir() if (out / folder).is_dir() else ()
    found = [
        folder / old.name
        for old in there
        if old.name in reports or (old.name.endswith(_CARD) and old.name.partition(".")[0] in stems)
    ]
    return [old for old in found if old not in files]


def _remove(artefact: Path) -> None:
    if artefact.is_dir():
        return shutil.rmtree(artefact)
    for part in parts(artefact):
        part.unlink(missing_ok=True)


def _artefact(card: Path) -> str:
    return str(card).removesuffix(_CARD)
