"""What a CycleGAN exports: a generator for each direction, in folders AtoB and BtoA."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from edgegan.data import Domains, Pictures
from edgegan.families import ExportSpec, Networks
from edgegan.families._translation import picture_spec

from .config import Config
from .networks import DIRECTIONS


def exportable(
    cfg: Config, nets: Networks, domains: Callable[[str], Domains], note: str = ""
) -> tuple[ExportSpec, ...]:
    """The spec of each direction that `nets` holds; `domains` opens a split."""

    def source(direction: str, split: str) -> Pictures:
        return domains(split).a if direction == "AtoB" else domains(split).b

    names = {"AtoB": (cfg.name_a, cfg.name_b), "BtoA": (cfg.name_b, cfg.name_a)}
    return tuple(
        picture_spec(
            name=f"cyclegan-{direction}-{cfg.size}",
            family="cyclegan",
            generator=nets[direction],
            size=cfg.size,
            multiple=cfg.multiple,
            source=partial(source, direction),
            domain=": ".join(part for part in (cfg.domain, " to ".join(names[direction])) if part),
            direction=direction,
            faces=cfg.faces,
            alignment=cfg.alignment,
            licence=cfg.licence,
            note=note,
        )
        for direction in DIRECTIONS
        if direction in nets
    )
