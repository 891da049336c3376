"""One --data value for several data sets: `celeba=celeba:DIR,rafd=rafd:DIR`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping

from edgegan.runtime.errors import InputError

NAME = re.compile(r"[A-Za-z][\w-]*")
_FIRST = re.compile(rf"{NAME.pattern}=")
_NEXT = re.compile(rf",(?={NAME.pattern}=)")  # a folder's own name may hold a comma
_KIND = re.compile(r"[a-z][a-z0-9_-]*")
_COUNT = re.compile(r"[0-9@]*")


def split_named(spec: str, defaults: Mapping[str, str], needed: Collection[str]) -> dict[str, str]:
    """The SPEC of each data set, by name, in the order of `defaults`, which serve where `spec` names none.

    Raises InputError for a part without a name, an unknown name or one given twice, and for a needed set that has
    neither a SPEC nor a default.
    """
    example = ",".join(f"{name}=SPEC" for name in defaults)
    found: dict[str, str] = {}
    for part in _NEXT.split(spec) if spec else ():
        name, equals, one = part.partition("=")
        if not equals or name not in defaults or not one:
            raise InputError(
                f"--data {spec}: {part!r} names none of the data sets {', '.join(defaults)}",
                f"one SPEC for each: --data {example}",
            )
        if name in found:
            raise InputError(f"--data {spec}: {name} is named twice", f"one SPEC for each: --data {example}")
        found[name] = one
    missing = [name for name in needed if not (found.get(name) or defaults[name])]
    if missing:
        raise InputError(f"no pictures are named for {', '.join(missing)}", f"one SPEC for each: --data {example}")
    return {name: found.get(name) or default for name, default in defaults.items()}


def join_named(specs: Mapping[str, str]) -> str:
    """The opposite of `split_named`."""
    return ",".join(f"{name}={spec}" for name, spec in specs.items())


def map_specs(spec: str, change: Callable[[str], str]) -> str:
    """A --data value with `change` done to the SPEC of each of its data sets."""

    def one(part: str) -> str:
        name, equals, own = part.partition("=") if _FIRST.match(part) else ("", "", part)
        return name + equals + (change(own) if own else "")

    return ",".join(map(one, _NEXT.split(spec)))


def without_places(spec: str) -> str:
    """The kinds of a SPEC, and how many pictures were drawn, but no folders: for a card that others will read."""

    def public(one: str) -> str:
        kind, _, place = one.partition(":")
        if not _KIND.fullmatch(kind):
            return "folder"
        return one if _COUNT.fullmatch(place) else kind

    return map_specs(spec, public)
