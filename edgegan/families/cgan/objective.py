"""The losses: the GAN's own (Mirza and Osindero 2014, eq. 2), or the hinge that the projection's authors train with.

What the generator is told are labels of real pictures in another order: names that never come together in the data
are never asked for.
"""

from __future__ import annotations

import torch
from torch import Tensor

from edgegan import losses
from edgegan.families import Loss, Step

from .config import Config
from .networks import Conditional, Generator

_LOSS = {"concat": losses.ADVERSARIAL["vanilla"], "projection": losses.ADVERSARIAL["hinge"]}


def g_loss(cfg: Config, g: Generator, d: Conditional, step: Step) -> Loss:
    """How real D(G(z, y), y) is taken to be."""
    fakes, labels = _fakes(cfg, g, step)
    adv = _LOSS[cfg.conditioning].g(d(fakes, labels))
    return adv, {"adv": adv}


def d_loss(cfg: Config, g: Generator, d: Conditional, step: Step) -> Loss:
    """Real pictures with their labels against generated ones with those that they were told."""
    real = step.real
    with torch.no_grad():
        fakes, labels = _fakes(cfg, g, step)
    g.count(real["label"])
    adv = _LOSS[cfg.conditioning].d(d(real["image"], real["label"]), d(fakes, labels))
    return adv, {"adv": adv}


def _fakes(cfg: Config, g: Generator, step: Step) -> tuple[Tensor, Tensor]:
    labels = step.permute(step.real["label"])
    return g(torch.randn(len(labels), cfg.nz, device=labels.device), labels), labels
