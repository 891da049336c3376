"""The projected discriminator (Sauer et al. 2021, "Projected GANs converge faster", section 3 and figure 2).

Pictures are judged in the feature space of a frozen network, which knows from a million photographs what textures
and parts look like, so that a few hundred pictures suffice. Four depths are mixed across channels and across
scales by random layers that are never trained, and each depth has a small discriminator of its own.

Departures: EfficientNet-Lite0 in place of its larger sister (a pip package holds the weights), and each projected
map is scaled to unit power, since Lite0's maps differ in it by a factor of ten. With labels, each score is
conditional by projection (Miyato and Koyama 2018, eq. 3): a picture must look real among those of its own labels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from .efficientnet import CHANNELS, Backbone, Frozen

_DOWN = (2, 1, 0, 0)  # strided layers of the discriminators, shallowest first: 32, 16, 8, 4 px become 8, 8, 8, 4
_KEPT = 0.7  # after each sum of two scales, so that the power does not grow


class ProjectedDiscriminator(nn.Module):
    """Pictures (N, 3, H, W) -> a score map (N, 1, h, w) at each of four depths; H and W multiples of 32.

    Args:
        labels: the length of the label vector; 0 for none.
        width: channels of the projected maps.
        class_head: also read the labels off the same frozen features.
    """

    def __init__(self, labels: int = 0, width: int = 64, *, class_head: bool = False) -> None:
        super().__init__()
        self._backbone = Frozen(Backbone())
        self.mixed = nn.ModuleList(_random(channels, width, 1) for channels in CHANNELS.values())
        self.blended = nn.ModuleList(_random(width, width, 3) for _ in list(CHANNELS)[:-1])
        self.trunks = nn.ModuleList(_trunk(width, down) for down in _DOWN)
        self.heads = nn.ModuleList(spectral_norm(nn.Conv2d(width, 1, 3, padding=1)) for _ in _DOWN)
        self.embeddings = nn.ModuleList(
            spectral_norm(nn.Linear(labels, width, bias=False)) for _ in (_DOWN if labels else ())
        )
        # The class head sees the same frozen features, pooled; the heavy dropout keeps it from learning faces by heart.
        pooled = 2 * sum(CHANNELS.values())
        self.classes: nn.Module | None = None
        if class_head:
            self.classes = nn.Sequential(nn.LayerNorm(pooled), nn.Dropout(0.5), nn.Linear(pooled, labels))

    def forward(self, image: Tensor, label: Tensor | None = None) -> tuple[list[Tensor], Tensor | None]:
        """The score maps, of pictures that shall have the labels (N, C) in [0, 1], and class logits (N, C)."""
        maps = self._backbone(image)
        if self.classes is None:
            return self._scores(maps, label), None
        return self._scores(maps, label), self.classes(_pool(maps))

    def class_network(self) -> nn.Module | None:
        """The class head with the frozen network below it, as a module: (N, 3, H, W) -> logits (N, C)."""
        return None if self.classes is None else _ClassNetwork(self._backbone.net, self.classes)

    def _scores(self, maps: list[Tensor], label: Tensor | None) -> list[Tensor]:
        projected = [_scale_to_unit_power(mix(m)) for mix, m in zip(self.mixed, maps, strict=True)]
        for depth in reversed(range(len(self.blended))):
            deeper = F.interpolate(projected[depth + 1], size=projected[depth].shape[2:], mode="bilinear")
            projected[depth] = _KEPT * self.blended[depth](projected[depth] + deeper)
        scores = []
        for depth, (trunk, head) in enumerate(zip(self.trunks, self.heads, strict=True)):
            features = trunk(projected[depth])
            score = head(features)
            if label is not None:
                direction = self.embeddings[depth](2.0 * label.to(features) - 1.0)
                score = score + (direction[:, :, None, None] * features).sum(1, keepdim=True)
            scores.append(score)
        return scores


class _ClassNetwork(nn.Module):
    def __init__(self, backbone: nn.Module, classes: nn.Module) -> None:
        super().__init__()
        self.backbone, self.classes = backbone, classes

    def forward(self, image: Tensor) -> Tensor:
        """Class logits."""
        logits: Tensor = self.classes(_pool(self.backbone(image)))
        return logits


def _pool(maps: list[Tensor]) -> Tensor:
    return torch.cat([p for m in maps for p in (m.mean((2, 3)), m.amax((2, 3)))], 1)


def _random(inside: int, outside: int, kernel: int) -> nn.Conv2d:
    """A random layer that stays as it is: its weight is a buffer, saved but never trained."""
    layer = nn.Conv2d(inside, outside, kernel, padding=kernel // 2, bias=False)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
    weight = layer.weight.detach().clone()
    del layer.weight
    layer.register_buffer("weight", weight)
    return layer


def _trunk(width: int, down: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(down):
        layers += [spectral_norm(nn.Conv2d(width, width, 4, 2, padding=1)), nn.LeakyReLU(0.2)]
    layers += [spectral_norm(nn.Conv2d(width, width, 3, padding=1)), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers)


def _scale_to_unit_power(x: Tensor) -> Tensor:
    power = x.detach().square().mean((1, 2, 3), keepdim=True)
    return x / (power.sqrt() + 1e-4)
