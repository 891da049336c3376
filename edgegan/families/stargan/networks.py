"""StarGAN's generator and discriminator, with the original layer order (Choi et al. 2018, tables 4 and 5).

Key names equal those of the published checkpoints. Two departures can be switched on: a stem and head of
stride 2, which make 128 px cost what 64 px costs, and an output mask (GANimation, Pumarola et al. 2018,
eq. 1): the generator also says where it paints, `m * rgb + (1 - m) * x`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from edgegan.networks import smooth_
from edgegan.networks.separable import conv3x3


def _norm(channels: int) -> nn.InstanceNorm2d:
    # Statistics of each picture, at inference too: running ones ruin the pictures.
    return nn.InstanceNorm2d(channels, affine=True, track_running_stats=False)


class ResidualBlock(nn.Module):
    """x + branch(x), no activation after the sum."""

    def __init__(self, channels: int, depthwise: bool = False) -> None:
        super().__init__()
        self.main = nn.Sequential(
            conv3x3(channels, depthwise=depthwise),
            _norm(channels),
            nn.ReLU(inplace=True),
            conv3x3(channels, depthwise=depthwise),
            _norm(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> the same shape."""
        out: Tensor = x + self.main(x)
        return out


class Generator(nn.Module):
    """(N, 3, H, W) in [-1, 1] and labels (N, C) -> (N, 3, H, W) in [-1, 1]; H, W multiples of 4 * stem_stride.

    Padding is zero everywhere: with reflection, the instance norms would cancel the constant label planes.
    """

    def __init__(
        self,
        label_width: int,
        conv_dim: int,
        blocks: int,
        stem_stride: int = 1,
        mask: bool = False,
        depthwise: bool = False,
    ) -> None:
        super().__init__()
        self.mask = mask
        out_channels = 4 if mask else 3
        kernel = 7 if stem_stride == 1 else 8  # 8 = 4 strides: every output place sees as many inputs
        width = conv_dim
        layers: list[nn.Module] = [
            nn.Conv2d(3 + label_width, width, kernel, stem_stride, padding=3, bias=False),
            _norm(width),
            nn.ReLU(inplace=True),
        ]
        for _ in range(2):
            layers += [
                nn.Conv2d(width, 2 * width, 4, 2, padding=1, bias=False),
                _norm(2 * width),
                nn.ReLU(inplace=True),
            ]
            width *= 2
        layers += [ResidualBlock(width, depthwise) for _ in range(blocks)]
        for _ in range(2):
            layers += [
                nn.ConvTranspose2d(width, width // 2, 4, 2, padding=1, bias=False),
                _norm(width // 2),
                nn.ReLU(inplace=True),
            ]
            width //= 2
        if stem_stride == 1:
            layers.append(nn.Conv2d(width, out_channels, kernel, padding=3, bias=False))
        else:
            head = nn.ConvTranspose2d(width, out_channels, kernel, stem_stride, padding=3, bias=False)
            smooth_(head.weight)
            layers.append(head)
        if not mask:
            layers.append(nn.Tanh())
        self.main = nn.Sequential(*layers)

    def parts(self, image: Tensor, label: Tensor) -> tuple[Tensor, Tensor | None]:
        """The edited picture, and the mask (N, 1, H, W) in [0, 1] where there is one."""
        planes = label[:, :, None, None].expand(-1, -1, image.shape[2], image.shape[3])
        out = self.main(torch.cat([image, planes], 1))
        if not self.mask:
            return out, None
        paint, mask = torch.tanh(out[:, :3]), torch.sigmoid(out[:, 3:])
        return image + mask * (paint - image), mask

    def forward(self, image: Tensor, label: Tensor) -> Tensor:
        """The edited picture."""
        return self.parts(image, label)[0]


class Discriminator(nn.Module):
    """(N, 3, S, S) -> (real/fake score map (N, 1, s, s), class logits (N, C)), with s = S / 2**layers.

    No norm at all, as the gradient penalty asks. S is baked into the class head.
    """

    def __init__(self, size: int, labels: int, conv_dim: int, layers: int) -> None:
        super().__init__()
        width, main = conv_dim, [nn.Conv2d(3, conv_dim, 4, 2, padding=1), nn.LeakyReLU(0.01)]
        for _ in range(layers - 1):
            main += [nn.Conv2d(width, 2 * width, 4, 2, padding=1), nn.LeakyReLU(0.01)]
            width *= 2
        self.main = nn.Sequential(*main)
        self.conv1 = nn.Conv2d(width, 1, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(width, labels, size // 2**layers, bias=False)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Scores and class logits."""
        features = self.main(image)
        return self.conv1(features), self.conv2(features).flatten(1)

    def score(self, image: Tensor) -> Tensor:
        """The score map alone."""
        scores: Tensor = self.conv1(self.main(image))
        return scores


class ClassHead(nn.Module):
    """What of a discriminator gives its class logits: (N, 3, S, S) -> (N, C)."""

    def __init__(self, discriminator: Discriminator) -> None:
        super().__init__()
        self.main, self.conv2 = discriminator.main, discriminator.conv2

    def forward(self, image: Tensor) -> Tensor:
        """Class logits."""
        return self.conv2(self.main(image)).flatten(1)  # type: ignore[no-any-return]


class Classifier(nn.Module):
    """A network of class logits as a model of its own: (N, 3, S, S) -> probabilities (N, C).

    `one_hot` are the places (first, end) of labels of which exactly one is on: theirs add up to one.
    """

    def __init__(self, net: nn.Module, one_hot: Sequence[tuple[int, int]] = ()) -> None:
        super().__init__()
        self.net = ClassHead(net) if isinstance(net, Discriminator) else net
        self.one_hot = tuple(one_hot)

    def forward(self, image: Tensor) -> Tensor:
        """Each attribute's probability."""
        return to_probabilities(self.net(image), self.one_hot)


def to_probabilities(logits: Tensor, one_hot: Sequence[tuple[int, int]] = ()) -> Tensor:
    """(N, C) logits -> probabilities: of each label by itself, or among those of which exactly one is on."""
    parts, done = [], 0
    for first, end in one_hot:
        parts += [torch.sigmoid(logits[:, done:first]), torch.softmax(logits[:, first:end], 1)]
        done = end
    parts.append(torch.sigmoid(logits[:, done:]))
    return torch.cat([part for part in parts if part.shape[1]], 1) if one_hot else parts[0]
