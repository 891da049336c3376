"""Folders in a --data SPEC: written so that they are found again from another directory, or after a move."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from .named import map_specs

_KIND = re.compile(r"([a-z][a-z0-9_-]*):(.+)", re.DOTALL)
_ANGLES = re.compile(r"(.+)(@[0-9+]+)")  # of rafd


def store_places(spec: str, run_folder: Path) -> dict[str, str]:
    """The SPEC with its folders absolute, and relative to the run folder; empty if it names no folder that is there."""
    absolute = map_places(spec, lambda place: os.path.abspath(place))
    if absolute == spec and not any(os.path.isabs(place) for place in places(spec)):
        return {}
    base = os.path.abspath(run_folder)
    return {"absolute": absolute, "relative": map_places(absolute, lambda place: _relative(place, base))}


def find_places(spec: str, stored: Mapping[str, str], run_folder: Path) -> tuple[str, str]:
    """The SPEC whose folders are there, and a word on it where they are not where they were.

    Tried in turn: where the folders were, where they lie relative to the run folder, and the spelling as given,
    relative to the current directory. With none of them there, the first, whose error names the whole path.
    """
    if not stored:
        return spec, ""
    absolute = stored["absolute"]
    beside = map_places(stored["relative"], lambda place: os.path.normpath(os.path.join(run_folder, place)), all_=True)
    for candidate in (absolute, beside, spec):
        found = places(candidate, all_=True)
        if found and all(Path(place).is_dir() for place in found):
            return candidate, "" if candidate == absolute else f"{absolute} is not there; reading {candidate} instead"
    return absolute, f"{absolute} is not there; --data names where the pictures are now"


def map_places(spec: str, change: Callable[[str], str], *, all_: bool = False) -> str:
    """The SPEC with `change` done to every folder that is there; `all_`: to every folder that it names."""

    def one(part: str) -> str:
        if os.path.isdir(part):
            return change(part)
        match = _KIND.fullmatch(part)
        head, place = (f"{match[1]}:", match[2]) if match else ("", part)
        angles = _ANGLES.fullmatch(place) if not os.path.isdir(place) else None
        place, tail = (angles[1], angles[2]) if angles else (place, "")
        named = os.path.isdir(place) or (all_ and os.sep in place)
        return head + change(place) + tail if named else part

    return map_specs(spec, one)


def places(spec: str, *, all_: bool = False) -> list[str]:
    """The folders of a SPEC, as `map_places` finds them."""
    found: list[str] = []

    def keep(place: str) -> str:
        found.append(place)
        return place

    map_places(spec, keep, all_=all_)
    return found


def _relative(place: str, base: str) -> str:
    """With a separator in it, so that it cannot be taken for the name of a kind."""
    try:
        relative = os.path.relpath(place, base)
    except ValueError:  # another drive
        return place
    return relative if os.sep in relative else os.path.join(os.curdir, relative)
