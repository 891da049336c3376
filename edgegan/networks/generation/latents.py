"""What latents generators were trained on. From outside, every latent is N(0, 1): one contract for all families."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

Law = Literal["normal", "uniform"]


def follow_law(latent: Tensor, law: Law) -> Tensor:
    """N(0, 1) in each place -> the same shape, of N(0, 1), or uniform in (-1, 1).

    The normal distribution function maps one law onto the other exactly, inside the graph that is exported: walks,
    truncation and seeds then mean the same for every generator.
    """
    return torch.erf(latent / math.sqrt(2)) if law == "uniform" else latent
