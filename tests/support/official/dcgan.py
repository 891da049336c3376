"""PyTorch's DCGAN example, written from its published layer list alone."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

State = dict[str, Tensor]


def generator_state(size: int, nz: int, ngf: int, channels: int = 3) -> State:
    """Random weights: transposed 4x4 convolutions from one pixel, each but the last with a batch norm behind it."""
    widths = [nz]
    edge = size // 8
    while edge >= 1:
        widths.append(ngf * edge)
        edge //= 2
    state: State = {}
    for number, (inside, outside) in enumerate(zip(widths, [*widths[1:], channels], strict=True)):
        state[f"main.{3 * number}.weight"] = 0.1 * torch.randn(inside, outside, 4, 4)
        if outside != channels:
            _norm(state, f"main.{3 * number + 1}", outside)
    return state


def discriminator_state(size: int, ndf: int) -> State:
    """Random weights: strided 4x4 convolutions, the first without a norm, and one to a score."""
    state, inside, outside, place, edge = {}, 3, ndf, 0, size
    while edge > 4:
        state[f"main.{place}.weight"] = 0.1 * torch.randn(outside, inside, 4, 4)
        if place:
            _norm(state, f"main.{place + 1}", outside)
        place += 3 if place else 2
        inside, outside, edge = outside, 2 * outside, edge // 2
    state[f"main.{place}.weight"] = 0.1 * torch.randn(1, inside, 4, 4)
    return state


def reference_generator(state: State, z: Tensor) -> Tensor:
    """Latents (N, nz) -> pictures, with the stored statistics."""
    x, number = z.view(*z.shape, 1, 1), 0
    while True:
        weight = state[f"main.{3 * number}.weight"]
        x = F.conv_transpose2d(x, weight, stride=2 if number else 1, padding=1 if number else 0)
        if f"main.{3 * number + 1}.weight" not in state:
            return torch.tanh(x)
        x = F.relu(_apply_norm(state, f"main.{3 * number + 1}", x))
        number += 1


def reference_discriminator(state: State, x: Tensor) -> Tensor:
    """Pictures -> scores (N,), before the sigmoid."""
    places = sorted(int(key.split(".")[1]) for key, tensor in state.items() if tensor.dim() == 4)
    for place in places[:-1]:
        x = F.conv2d(x, state[f"main.{place}.weight"], stride=2, padding=1)
        if place:
            x = _apply_norm(state, f"main.{place + 1}", x)
        x = F.leaky_relu(x, 0.2)
    return F.conv2d(x, state[f"main.{places[-1]}.weight"]).flatten()


def _norm(state: State, name: str, channels: int) -> None:
    state[f"{name}.weight"], state[f"{name}.bias"] = 1 + 0.2 * torch.randn(channels), 0.1 * torch.randn(channels)
    state[f"{name}.running_mean"], state[f"{name}.running_var"] = torch.randn(channels), 0.5 + torch.rand(channels)
    state[f"{name}.num_batches_tracked"] = torch.tensor(7)


def _apply_norm(state: State, name: str, x: Tensor) -> Tensor:
    return F.batch_norm(
        x,
        state[f"{name}.running_mean"],
        state[f"{name}.running_var"],
        state[f"{name}.weight"],
        state[f"{name}.bias"],
    )
