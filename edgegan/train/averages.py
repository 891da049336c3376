"""Exponential moving averages (EMA) of networks: what samples, validation and exports show."""

from __future__ import annotations

import copy
from collections.abc import Iterable

import torch

from edgegan.families import Networks


def averages(nets: Networks, names: Iterable[str]) -> Networks:
    """Copies of the named networks to begin with: frozen, in evaluation mode."""
    return {name: copy.deepcopy(nets[name]).eval().requires_grad_(False) for name in names}


@torch.no_grad()
def follow(averaged: Networks, nets: Networks, *, images: int, batch: int, halflife_images: float) -> None:
    """Moves each average towards its network, after `images` in all, the last `batch` of them in this round.

    Buffers are taken as they are. With a half-life of 0 the averages are the networks themselves.
    """
    decay = 0.5 ** (batch / halflife_images) if halflife_images else 0.0
    decay = min(decay, images / (images + 10 * batch))  # forget the initial weights soon
    for name, average in averaged.items():
        live = nets[name]
        torch._foreach_lerp_(list(average.parameters()), list(live.parameters()), 1 - decay)
        for kept, now in zip(average.buffers(), live.buffers(), strict=True):
            kept.copy_(now)
