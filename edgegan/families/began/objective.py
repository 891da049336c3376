"""BEGAN's losses (Berthelot et al. 2017, section 3.4): how badly an autoencoder remembers real and generated pictures.

The generator's phase comes second and draws new latents, as the paper's z_D and z_G.
"""

from __future__ import annotations

import torch
from torch import Tensor

from edgegan.families import Loss, Step

from .networks import Autoencoder, Balance, Generator


def reconstruction(d: Autoencoder, image: Tensor) -> Tensor:
    """L(v) = E|v - D(v)|; 0 for a perfect memory."""
    loss: Tensor = (image - d(image)).abs().mean()
    return loss


def d_loss(nz: int, g: Generator, d: Autoencoder, balance: Balance, step: Step) -> Loss:
    """L(x) - k L(G(z_D))."""
    image = step.real["image"]
    with torch.no_grad():
        drawn = g(torch.randn(len(image), nz, device=image.device))
    real, fake = reconstruction(d, image), reconstruction(d, drawn)
    k = balance.k.to(real)
    return real - k * fake, {"real": real, "fake": fake, "k": k}


def g_loss(nz: int, g: Generator, d: Autoencoder, balance: Balance, step: Step) -> Loss:
    """L(G(z_G)); beside it M of the round before."""
    image = step.real["image"]
    fake = reconstruction(d, g(torch.randn(len(image), nz, device=image.device)))
    return fake, {"adv": fake, "convergence": balance.convergence.to(fake)}
