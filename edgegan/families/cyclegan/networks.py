"""CycleGAN's networks by name: AtoB and BtoA, D_A and D_B, and the pools of what they drew.

As in the authors' code, D_A judges what AtoB draws, so pictures of domain B (the paper's D_Y); D_B those of A.
"""

from __future__ import annotations

from torch import Tensor, nn

from edgegan.families import Networks, Step
from edgegan.families._translation import begin_generator
from edgegan.networks import ImagePool, NLayerDiscriminator, PixelDiscriminator

from .config import Config

DIRECTIONS = ("AtoB", "BtoA")
DISCRIMINATORS = ("D_A", "D_B")
POOLS = {"AtoB": "pool_B", "BtoA": "pool_A"}  # by whose pictures it keeps; named after the domain they imitate


def networks(cfg: Config) -> Networks:
    """Everything with a state, freshly initialised with N(0, 0.02)."""
    nets: Networks = {name: begin_generator(cfg) for name in DIRECTIONS}
    nets.update({name: _discriminator(cfg) for name in DISCRIMINATORS})
    if cfg.pool:
        nets.update({name: ImagePool(cfg.pool, cfg.size) for name in POOLS.values()})
    return nets


def draw_from_pool(nets: Networks, direction: str, fake: Tensor, step: Step) -> Tensor:
    """What the discriminator is shown for the pictures (N, 3, S, S) that `direction` drew."""
    pool = nets.get(POOLS[direction])
    if pool is None:
        return fake
    assert isinstance(pool, ImagePool)
    draws = step.uniform(len(fake), 2, draw=1 + DIRECTIONS.index(direction))
    return pool.forward(fake, draws)  # not pool(...): torch.compile has nothing to gain there


def _discriminator(cfg: Config) -> nn.Module:
    if cfg.discriminator == "pixel":
        return PixelDiscriminator(3, cfg.ndf, norm=cfg.norm)
    return NLayerDiscriminator(3, cfg.ndf, cfg.d_layers, norm=cfg.norm)
