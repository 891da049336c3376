"""The files that a run reads and writes, whatever they are called, and that none of them is another's."""

from __future__ import annotations

import os
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from urllib.parse import unquote, urlsplit

from .errors import InputError
from .pictures import SUFFIXES
from .redaction import redact
from .shipped import list_models
from .special_files import STDOUT, is_null

_LOCATION = re.compile(r"(?:location|uri)\s*=\s*(\"[^\"]*\"|'[^']*'|\S+)", re.IGNORECASE)
_HOSTLESS = re.compile(r"[a-z][a-z0-9+.\-]*://(?=/)", re.IGNORECASE)  # cache:///FILE, which FFmpeg reads
_DESCRIPTORS = dict.fromkeys(("-", "stdout", *STDOUT), 1)
_OF_MODELS = ("*.onnx*", "*.xml", "*.bin", "*.data", "*.engine*", "*.safetensors", "golden.npz", "config.json")
_READ_IN_FOLDERS = (*SUFFIXES, ".csv", ".txt")
_LOOKED_AT = 1000  # files of a folder
_ONCE = ("window", "virtualcam")  # a second of them would show nothing new, or find the device taken
_MANY = ("null",)


def local_path(spec: str) -> Path | None:
    """The path that `spec` names, a file:// address included; None for any other address.

    Such an address is percent-encoded, as browsers copy it; where a file has the literal name, that one is meant.
    """
    if spec[:5].lower() == "file:":
        literal = re.sub(r"^file:(//(localhost)?(?=/))?", "", spec, flags=re.IGNORECASE)
        if literal.startswith("//"):
            return None  # on another machine
        return Path(literal) if _exists(Path(literal)) else Path(unquote(literal))
    return None if "://" in spec else Path(spec)


def localise(spec: str) -> str:
    """`spec`, but the plain path for a file:// address."""
    path = local_path(spec) if spec[:5].lower() == "file:" else None
    return spec if path is None else str(path)


def identities(spec: str) -> frozenset[Hashable]:
    """What makes two SPECs the same place, however they are spelt: descriptor, device, path, or file on the disk."""
    kind = spec.partition(":")[0]
    if spec in _MANY:
        return frozenset()
    if spec in _DESCRIPTORS:
        return _of_descriptor(_DESCRIPTORS[spec])
    if kind in _ONCE:
        device = spec.partition(":")[2]
        return frozenset({kind}) | (identities(device) if device else frozenset())
    if spec.startswith("gst:"):
        named = [found.strip("\"'") for found in _LOCATION.findall(spec)]
        return frozenset().union(*map(identities, named))
    path = local_path(spec)
    if path is None:
        hostless = _HOSTLESS.match(spec)
        return frozenset({_address(spec)}) | (_of_file(Path(spec[hostless.end() :])) if hostless else frozenset())
    return _of_file(path)


def model_parts(model: str | Path) -> dict[str, str]:
    """What a run that opens `model`, a file, a folder or a shipped model's name, reads of it, for `refuse_clashes`.

    Of the files beside it only those that a model consists of: others may be what an earlier run has written.
    """
    shipped = None if _exists(Path(model)) else list_models().get(str(model))
    place = shipped.parent if shipped else Path(model)
    found = {str(place): "the model"}
    with suppress(OSError, ValueError):
        if place.exists():
            folder = place if place.is_dir() else place.parent
            beside = islice(_files(folder, below=place.is_dir()), _LOOKED_AT)
            found |= {str(file): "part of the model" for file in beside if any(map(file.match, _OF_MODELS))}
    return found


def refuse_clashes(reads: Mapping[str, str], writes: Iterable[str], *, folders: Iterable[str] = ()) -> None:
    """Raises InputError where a place to write to is read as well, or is written to twice.

    `reads` says of each SPEC what it is to the run, such as "the source". The pictures and tables in `folders` are
    read too.
    """
    read = {identity: role for spec, role in reads.items() for identity in identities(_camera(spec))}
    written: dict[Hashable, str] = {}
    for spec in writes:
        around = _folder_around(spec, folders)
        if around is not None:
            raise InputError(
                f"{redact(spec)} is one of the files in {redact(around)}, which is read",
                todo="name another place for the output",
            )
        for identity in identities(spec):
            if identity in read:
                raise InputError(
                    f"{redact(spec)} is {read[identity]} and a place to write to",
                    todo="name another place for the output",
                )
            if identity in written:
                first = redact(written[identity])
                twice = f"{first} was given twice" if first == redact(spec) else f"{redact(spec)} is {first} once more"
                raise InputError(f"{twice} as a place to write to", todo="name another place for one of them")
        written.update(dict.fromkeys(identities(spec), spec))


def _files(folder: Path, *, below: bool) -> Iterator[Path]:
    """The files of a folder, with those of the folders in it if `below`."""
    return (path for path in (folder.rglob("*") if below else folder.iterdir()) if path.is_file())


def _folder_around(spec: str, folders: Iterable[str]) -> str | None:
    """The folder whose picture or table `spec` is; None if it is not there, or is of another kind."""
    path = local_path(spec)
    if path is None or path.suffix.lower() not in _READ_IN_FOLDERS or not _exists(path):
        return None
    around = set(map(str, Path(os.path.realpath(path)).parents))
    places = ((folder, local_path(folder)) for folder in folders)
    return next((folder for folder, place in places if place and os.path.realpath(place) in around), None)


def _of_file(path: Path) -> frozenset[Hashable]:
    found: set[Hashable] = set()
    if is_null(path):
        return frozenset()
    with suppress(OSError, ValueError, RuntimeError):  # a name that is too long, or links in a circle
        found.add(os.path.normcase(os.path.realpath(path)))
        status = os.stat(path)
        found.add((status.st_dev, status.st_ino))
    return frozenset(found)


def _camera(spec: str) -> str:
    """The device of a camera that is named by its number."""
    return f"/dev/video{int(spec)}" if re.fullmatch(r"[0-9]{1,3}", spec) else spec


def _of_descriptor(number: int) -> frozenset[Hashable]:
    with suppress(OSError):
        status = os.fstat(number)
        return frozenset({("stdout",), (status.st_dev, status.st_ino)})
    return frozenset({("stdout",)})


def _address(spec: str) -> str:
    try:
        parts = urlsplit(spec)
    except ValueError:
        return spec
    return parts._replace(scheme=parts.scheme.lower(), netloc=parts.netloc.lower()).geturl()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
