"""Chance by a seed."""

from __future__ import annotations

import torch


def chance(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
