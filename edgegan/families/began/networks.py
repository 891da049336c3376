"""BEGAN's networks (Berthelot et al. 2017, figure 1): 3x3 convolutions with ELU, no norms, nearest up-sampling."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgegan.networks.generation.host_values import read_value
from edgegan.networks.generation.latents import follow_law

from .config import Config

SIDE = 8  # of the smallest map, in pixels


class Carried(nn.Module):
    """A network with vanishing residuals; `carry` is in the checkpoint, and in the average."""

    carry: Tensor  # (), float64: the share of each layer's input in its output, where both have equal channels

    def __init__(self, cfg: Config) -> None:
        super().__init__()
        self.register_buffer("carry", torch.tensor(float(cfg.residual_images > 0), dtype=torch.float64))


class Pair(nn.Module):
    """Two convolutions with ELU, (N, inputs, H, W) -> (N, outputs, H, W)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList([_conv(inputs, outputs), _conv(outputs, outputs)])

    def forward(self, x: Tensor, carry: float) -> Tensor:
        """The map."""
        for conv in self.convs:
            out = F.elu(conv(x))
            x = out.lerp(x, carry) if carry and out.shape == x.shape else out
        return x


class Decoder(Carried):
    """Codes (N, nz) -> pictures (N, 3, size, size), meant for [-1, 1] and not bounded."""

    def __init__(self, cfg: Config) -> None:
        super().__init__(cfg)
        n, doublings = cfg.filters, _doublings(cfg)
        self.skips = cfg.skips
        self.stem = nn.Sequential(nn.Linear(cfg.nz, n * SIDE**2), nn.Unflatten(1, (n, SIDE, SIDE)))
        # From the second stage on, the first map comes along.
        self.stages = nn.ModuleList([Pair(2 * n if stage and cfg.skips else n, n) for stage in range(doublings + 1)])
        self.head = _conv(n, 3)

    def forward(self, code: Tensor) -> Tensor:
        """The pictures."""
        return self.draw(code, read_value(self, "carry"))

    def draw(self, code: Tensor, carry: float) -> Tensor:
        """The pictures with this carry."""
        x = first = self.stem(code)
        for number, stage in enumerate(self.stages):
            if number:
                x, first = _double(x), _double(first) if self.skips else first
                x = torch.cat([x, first], 1) if self.skips else x
            x = stage(x, carry)
        drawn: Tensor = self.head(x)
        return drawn


class Generator(Decoder):
    """Latents (N, nz) of N(0, 1), which it takes as uniform in (-1, 1) -> pictures (N, 3, size, size)."""

    def draw(self, code: Tensor, carry: float) -> Tensor:
        """The pictures with this carry."""
        return super().draw(follow_law(code, "uniform"), carry)


class Autoencoder(Carried):
    """Pictures (N, 3, size, size) -> the same pictures as it remembers them; its loss is the discriminator's."""

    def __init__(self, cfg: Config) -> None:
        super().__init__(cfg)
        widths = [cfg.filters * stage for stage in range(1, _doublings(cfg) + 2)]
        self.stem = _conv(3, cfg.filters)
        self.stages = nn.ModuleList(
            [Pair(before, after) for before, after in zip([cfg.filters, *widths], widths, strict=False)]
        )
        self.halvings = nn.ModuleList([nn.Conv2d(width, width, 3, 2, 1) for width in widths[:-1]])
        self.code = nn.Sequential(nn.Flatten(), nn.Linear(widths[-1] * SIDE**2, cfg.nz))
        self.decoder = Decoder(cfg)

    def forward(self, image: Tensor) -> Tensor:
        """The pictures, decoded from their codes."""
        carry = read_value(self, "carry")
        x = F.elu(self.stem(image))
        for number, stage in enumerate(self.stages):
            x = stage(F.elu(self.halvings[number - 1](x)) if number else x, carry)
        decoded: Tensor = self.decoder.draw(self.code(x), carry)
        return decoded


class Balance(nn.Module):
    """k and the convergence measure M (section 3.4); without parameters, part of the checkpoint, exact.

    Losses are L(v) = E|v - D(v)|.
    """

    k: Tensor  # () in [0, 1], float64: the weight of generated pictures in the autoencoder's loss
    convergence: Tensor  # (), float64: M of the last round
    real: Tensor  # (), float64: L of the last round's real pictures

    def __init__(self, gamma: float, k_rate: float) -> None:
        super().__init__()
        self.gamma, self.k_rate = gamma, k_rate
        for name in ("k", "convergence", "real"):
            self.register_buffer(name, torch.zeros((), dtype=torch.float64))

    @torch.no_grad()
    def forward(self, real: Tensor, fake: Tensor) -> Tensor:
        """Takes L of real and of generated pictures, moves k by proportional control, and returns M; scalars all."""
        real, fake = real.double(), fake.double()
        gap = self.gamma * real - fake
        self.k.add_(self.k_rate * gap).clamp_(0.0, 1.0)
        self.real.copy_(real)
        self.convergence.copy_(real + gap.abs())
        return self.convergence.clone()


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="nearest")


def _doublings(cfg: Config) -> int:
    """From the smallest map to the picture."""
    return cfg.size.bit_length() - SIDE.bit_length()
