"""Figures on held-out data while a run trains, and which checkpoint was the best by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch

from edgegan.data._files.fingerprint import describe_pictures
from edgegan.families import Networks

from .folder.run import Run


@dataclass(frozen=True)
class Best:
    """The lowest value that the deciding figure had, and when."""

    figure: str
    value: float
    images: int

    @staticmethod
    def of(figures: Mapping[str, float], images: int) -> Best:
        """The first of the figures decides."""
        figure, value = next(iter(figures.items()))
        return Best(figure, value, images)

    def header(self) -> dict[str, Any]:
        """As plain JSON values, for a checkpoint's header."""
        return asdict(self)

    @staticmethod
    def from_header(values: Mapping[str, Any] | None) -> Best | None:
        """The inverse of `header`; a header without one gives None."""
        return Best(str(values["figure"]), float(values["value"]), int(values["images"])) if values else None


def describe_held_out(run: Run) -> dict[str, Any]:
    """What the pictures are that `measure` looks at, by name; nothing in a run that measures nothing.

    Raises InputError for held-out pictures that cannot be had: better now than after an hour of training.
    """
    if not run.cfg.train.validate_images or run.family.validate is None or run.family.held_out is None:
        return {}
    return {name: describe_pictures(found) for name, found in run.family.held_out(run.cfg, run.data).items()}


def measure(run: Run, nets: Networks) -> dict[str, float]:
    """The family's figures on the run's held-out data; none where the family measures nothing."""
    validate = run.family.validate
    if validate is None:
        return {}
    was_training = {name: net.training for name, net in nets.items()}
    for net in nets.values():
        net.eval()
    try:
        with torch.no_grad():
            return validate(run.cfg, nets, run.data)
    finally:
        for name, net in nets.items():
            net.train(was_training[name])
