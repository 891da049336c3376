"""A classifier that is fine-tuned first and then left alone: `classifier = "finetuned"`.

A class head trained beside the generator on a few hundred faces learns them by heart and then asks for nonsense; a
linear head on frozen features reads too little. EfficientNet-Lite0, fine-tuned on augmented faces with mixup (Zhang et
al. 2018) and stopped, reads unseen faces best. It also reads a camera face's own attributes at run time.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgegan import losses
from edgegan.families import Loss, Step
from edgegan.networks.efficientnet import CHANNELS, Backbone

HEAD_LR, BACKBONE_LR = 1e-3, 1e-4
SMOOTHING = 0.05  # of labels towards one half: some of them are wrong
_MIXUP = 0.4  # the beta distribution's parameter
_MIX_DRAW = 101  # a draw of its own, apart from those of the targets


class AttributeClassifier(nn.Module):
    """(N, 3, H, W) in [-1, 1] -> logits (N, labels)."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.backbone = Backbone()
        features = list(CHANNELS.values())[-1]
        self.head = nn.Sequential(nn.LayerNorm(2 * features), nn.Dropout(0.4), nn.Linear(2 * features, labels))

    def forward(self, image: Tensor) -> Tensor:
        """Class logits."""
        last = self.backbone(image)[-1]
        logits: Tensor = self.head(torch.cat([last.mean((2, 3)), last.amax((2, 3))], 1))
        return logits


def make_optimiser(net: AttributeClassifier) -> torch.optim.Optimizer:
    """AdamW; the pretrained part moves slowly."""
    groups = [
        {"params": list(net.head.parameters()), "lr": HEAD_LR},
        {"params": list(net.backbone.parameters()), "lr": BACKBONE_LR},
    ]
    return torch.optim.AdamW(groups, weight_decay=0.02)


def classifier_loss(net: AttributeClassifier, step: Step) -> Loss:
    """Binary cross-entropy of mixed pictures against mixed labels."""
    net.train()
    net.backbone.eval()  # ImageNet's batch statistics: those of a small batch are noise
    image, label = step.real["image"], step.real["label"]
    rng = step.rng
    share = float(rng.beta(_MIXUP, _MIXUP))
    partner = torch.from_numpy(rng.permutation(len(image))).to(image.device)
    mixed = torch.lerp(image[partner], image, share)
    wanted = torch.lerp(label[partner], label, share) * (1.0 - 2.0 * SMOOTHING) + SMOOTHING
    cls = losses.attribute_classification(net(mixed), wanted)
    return cls, {"cls": cls}
