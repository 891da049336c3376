"""DCGAN's losses: the GAN's own (Goodfellow et al. 2014, eq. 1), the generator's in the form that does not saturate.

The generator's phase comes first, as in the authors' code, and leaves its pictures to the discriminator's. Real and
generated pictures go through the discriminator apart: in one batch, its norms would see a mixture of both.
"""

from __future__ import annotations

import torch
from torch import Tensor

from edgegan import losses
from edgegan.families import Loss, Step
from edgegan.networks.generation.dcgan import DcganDiscriminator, DcganGenerator

FAKES = "fakes"


def g_loss(nz: int, g: DcganGenerator, d: DcganDiscriminator, step: Step) -> Loss:
    """-E[log s(D(G(z)))]; the pictures are left in the step's scratch, without gradient."""
    real = step.real["image"]
    fakes = g(torch.randn(len(real), nz, device=real.device))
    step.scratch[FAKES] = fakes.detach()
    adv = losses.vanilla_g(d(fakes))
    return adv, {"adv": adv}


def d_loss(d: DcganDiscriminator, step: Step) -> Loss:
    """-E[log s(D(x))] - E[log(1 - s(D(G(z))))], on the pictures that the generator's phase has left."""
    real, fake = d(step.real["image"]), d(step.scratch.pop(FAKES))
    adv = losses.vanilla_d(real, fake)
    return adv, {"adv": adv, **confidence(real, fake)}


@torch.no_grad()
def confidence(real: Tensor, fake: Tensor) -> dict[str, Tensor]:
    """How sure the discriminator is: the mean of s(D) on real and on generated pictures; 0.5 is a coin's."""
    return {"real": torch.sigmoid(real).mean(), "fake": torch.sigmoid(fake).mean()}
