"""The authors' CycleGAN checkpoints: `*_net_G.pth` of one direction, or `*_net_G_A.pth` and `*_net_G_B.pth`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from edgegan.config import Training
from edgegan.families import Imported, ImportOptions
from edgegan.networks.official import Found, read_generator
from edgegan.runtime.errors import InputError

from .config import Config
from .networks import DIRECTIONS


def import_official(files: Mapping[str, Any], options: ImportOptions) -> Imported | None:
    """Generators with instance norms and without dropout; one file that names no direction is taken for AtoB.

    Returns None if there is none, or one that pix2pix trains. Raises InputError if they cannot be used together.
    """
    read = {name: read_generator(name, loaded, options.padding, options.norm) for name, loaded in files.items()}
    generators = {name: found for name, found in read.items() if found is not None}
    if not generators or not all(_is_ours(found) for found in generators.values()):
        return None
    directed = _sort_by_direction(generators)
    first, *others = directed.values()
    for other in others:
        if _structure(other) != _structure(first):
            raise InputError(
                f"two generators that differ: {first.notes[0]}; {other.notes[0]}",
                "both directions of one training",
                "import each alone",
            )
    size = options.size or 256
    cfg = Config(
        size=size,
        load_size=size * 286 // 256,
        domain=options.domain,
        generator=first.kind,
        blocks=first.depth,
        ngf=first.ngf,
        padding=first.padding,
        norm="instance" if first.norm == "instance" else "instance-affine",
        train=Training(batch=1, ema_halflife_images=10),
    )
    notes = [note for found in directed.values() for note in found.notes]
    notes += [f"{name}: left out, not a generator" for name in files if name not in generators]
    if options.size is None:
        notes.append(f"size {size}: the file does not tell it; --size takes any multiple of {cfg.multiple}")
    return Imported(cfg, {direction: found.state for direction, found in directed.items()}, tuple(notes))


def _structure(found: Found) -> tuple[object, ...]:
    return found.kind, found.ngf, found.depth, found.norm, found.padding


def _is_ours(found: Found) -> bool:
    return found.kind == "resnet" and found.norm != "batch" and not found.dropout


def _sort_by_direction(generators: Mapping[str, Found]) -> dict[str, Found]:
    """Each generator by its direction, AtoB first."""
    named = {name: _direction(name) for name in generators}
    if len(generators) == 1:
        ((name, found),) = generators.items()
        return {named[name] or "AtoB": found}
    if sorted(map(str, named.values())) != list(DIRECTIONS):
        raise InputError(
            f"{len(generators)} generators: {', '.join(generators)}",
            "one, or two whose names say the direction",
            "name them ..._G_A.pth (A to B) and ..._G_B.pth (B to A)",
        )
    by_direction = {direction: generators[name] for name, direction in named.items()}
    return {direction: by_direction[direction] for direction in DIRECTIONS}


def _direction(name: str) -> str | None:
    """What a file's name says: `G_A` is the authors' name for A to B."""
    found = re.search(r"G_?([AB])(?![A-Za-z0-9])|([AB])(?:to|2)[AB]", name)
    if found is None:
        return None
    return "AtoB" if (found[1] or found[2]) == "A" else "BtoA"
