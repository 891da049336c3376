"""Bytes of a file, and the error for one that is no model."""

from __future__ import annotations

import mmap
from pathlib import Path

from ...errors import InputError

_POINTER = b"version https://git-lfs"  # what a clone without Git LFS has in the place of large files


def map_file(path: Path) -> memoryview:
    """The bytes of a file, not yet read; raises InputError if it is empty or cannot be read."""
    try:
        with open(path, "rb") as file:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except ValueError:  # an empty file cannot be mapped
        raise explain_damage(path, 0, begun=False) from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def explain_damage(path: Path, size: int, *, begun: bool) -> InputError:
    """What to say of a file that is no whole model; `begun`: it starts like one."""
    if begun:  # only what starts like a model is called a damaged one
        return InputError(
            f"{path} is cut short or damaged: its parts do not fit its {size} bytes", todo="copy or export it again"
        )
    if _begins_with(path, _POINTER):
        return InputError(f"{path} stands for a model that was not downloaded", todo="fetch it: git lfs pull")
    return InputError(f"{path} is not an ONNX file", "a model written by `edgegan export`")


def _begins_with(path: Path, words: bytes) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(len(words)) == words
    except OSError:
        return False
