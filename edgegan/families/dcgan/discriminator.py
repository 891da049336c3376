"""The discriminator of "Improved Techniques for Training GANs": one that compares pictures, or knows classes."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

from edgegan.networks.generation.dcgan import DcganDiscriminator


class Judging(Protocol):
    """What every discriminator of this family offers."""

    def features(self, image: Tensor) -> Tensor:
        """What its last layer sees of each picture."""
        ...

    def score(self, features: Tensor) -> Tensor:
        """The scores (N,) of such features; high for real pictures."""
        ...


class MinibatchFeatures(nn.Module):
    """How like the others of its batch each picture is (section 3.2): (N, A) -> (N, kernels).

    M = f T; o_b(i) = the sum over the others j of exp(-|M_ib - M_jb|_1). T's columns have a length of their own.
    """

    def __init__(self, width: int, kernels: int, dims: int) -> None:
        super().__init__()
        self.kernels, self.dims = kernels, dims
        self.direction = nn.Parameter(torch.randn(width, kernels * dims))
        self.log_length = nn.Parameter(torch.zeros(kernels * dims))
        self.bias = nn.Parameter(torch.zeros(kernels))

    def forward(self, features: Tensor) -> Tensor:
        """The sums, plus a bias for each kernel."""
        weight = self.direction / self.direction.norm(dim=0) * self.log_length.exp()
        seen = (features @ weight).view(-1, self.kernels, self.dims)
        apart = (seen[:, None] - seen[None]).abs().sum(3)  # (N, N, kernels)
        others = 1 - torch.eye(len(seen), device=seen.device)[..., None]
        likeness: Tensor = (torch.exp(-apart) * others).sum(1)
        return likeness + self.bias


class ImprovedDiscriminator(nn.Module):
    """Pictures (N, 3, size, size) -> scores (N,), on the trunk of a DCGAN's.

    With K classes it has K logits, and an implied one of 0 for "generated" (section 5): the score is their logsumexp,
    so that its sigmoid is the share of the real classes.

    Args:
        body: whose last layer is taken off.
        kernels, dims: of the comparison within a batch; 0 kernels for none.
        classes: K, or 0 for none.
    """

    def __init__(self, body: DcganDiscriminator, kernels: int, dims: int, classes: int) -> None:
        super().__init__()
        self.body, self.classes = body, classes
        body.main[-1] = nn.Identity()
        self.minibatch = MinibatchFeatures(body.width, kernels, dims) if kernels else None
        self.head = nn.Linear(body.width + kernels, max(classes, 1))
        nn.init.normal_(self.head.weight, 0.0, 0.02)
        nn.init.zeros_(self.head.bias)

    def features(self, image: Tensor) -> Tensor:
        """(N, width): what the head and the comparison see."""
        return self.body.features(image).flatten(1)

    def logits(self, features: Tensor) -> Tensor:
        """(N, classes), or (N, 1) without classes."""
        if self.minibatch is not None:
            features = torch.cat([features, self.minibatch(features)], dim=1)
        found: Tensor = self.head(features)
        return found

    def score(self, features: Tensor) -> Tensor:
        """The scores (N,)."""
        found = self.logits(features)
        return torch.logsumexp(found, dim=1) if self.classes else found[:, 0]

    def forward(self, image: Tensor) -> Tensor:
        """The scores."""
        return self.score(self.features(image))
