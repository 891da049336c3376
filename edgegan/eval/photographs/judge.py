"""The judge of photographed faces: a small ResNet that reads attributes, of another kind than training's classifier.

A generator may learn what fools the network it was trained with; it has never met this one. It learns from scratch, on
the judge's own faces and on augmented training faces, half of them with their hair dyed (`dyeing.py` says how and why),
and its accuracy on real held-out faces stands in every report.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from edgegan.data._faces.augmentation import Augmentation
from edgegan.data._faces.stream import FaceStream
from edgegan.data._files.work import show_steps
from edgegan.eval.photographs.dyeing import Dye
from edgegan.runtime.files import atomic_path, cache_folder

if TYPE_CHECKING:
    from edgegan.data.faces import FacePictures

IMAGES, BATCH, EDGE = 24_000, 32, 96
_RECIPE = 4  # counts up when what is trained below changes


class FaceJudge(nn.Module):
    """(N, 3, S, S) in [-1, 1] -> logits (N, labels); it looks at EDGE pixels."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        from torchvision.models import resnet18

        self.net = resnet18(weights=None, num_classes=labels)
        self.net.fc = nn.Sequential(nn.Dropout(0.3), nn.Linear(512, labels))

    def forward(self, image: Tensor) -> Tensor:
        """Pictures (N, 3, H, W) in [-1, 1] -> logits (N, labels)."""
        small = F.interpolate(image, (EDGE, EDGE), mode="bilinear", antialias=True, align_corners=False)
        logits: Tensor = self.net(small)
        return logits


def read(judge: FaceJudge, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 3, S, S) in [-1, 1] -> how likely each attribute is, (N, C) in [0, 1]."""
    with torch.inference_mode():
        found: NDArray[np.float32] = torch.sigmoid(judge(torch.from_numpy(images))).numpy()
    return found


def train_face_judge(train: FacePictures, judge: FacePictures) -> FaceJudge:
    """The judge for the attributes of these sets; trained once (some minutes), then kept in the cache."""
    net = FaceJudge(len(train.names))
    seen = hashlib.sha256(f"{_RECIPE} {train.names} {IMAGES} {len(train)} {len(judge)}".encode())
    for pictures in (train, judge):
        for i in range(len(pictures)):  # folders keep their name when their labels change
            seen.update(pictures.files[i].name.encode() + pictures.label(i).tobytes())
        seen.update(pictures.whole(0).tobytes())
    path = cache_folder() / f"face-judge-{seen.hexdigest()[:16]}.safetensors"
    if not path.is_file():
        _fit(net, train, judge)
        with atomic_path(path) as temporary:
            save_file(net.state_dict(), temporary)
    net.load_state_dict(load_file(path))
    return net.eval()


def _fit(net: FaceJudge, train: FacePictures, judge: FacePictures) -> None:
    """Its own faces are every fifth showing; answers of all decisions are balanced, within a cap."""
    decisions = [*train.groups, *((n,) for n in train.names if not any(n in g for g in train.groups))]
    dye = Dye(train)
    streams = [
        FaceStream(p, size=EDGE, augmentation=Augmentation(), flip=True, balance=decisions, guides=False, dye=dye)
        for p in (train, judge)
    ]
    rng = np.random.default_rng(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        optimiser = torch.optim.AdamW(net.parameters(), 1e-3, weight_decay=5e-2)
        rounds = IMAGES // BATCH
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=rounds)
        net.train()
        for _ in show_steps(range(rounds), rounds, "Training the judge, which is kept"):
            chosen = [streams[int(rng.random() < 0.2)] for _ in range(BATCH)]
            items = [s.item(int(rng.integers(len(s))), rng) for s in chosen]
            image, label = (torch.from_numpy(np.stack([i[key] for i in items])) for key in ("image", "label"))
            share = float(rng.beta(0.3, 0.3))  # mixup, as a few hundred faces are soon known by heart
            mixed = torch.lerp(image.flip(0), image, share)
            wanted = torch.lerp(label.flip(0), label, share) * 0.9 + 0.05
            loss = F.binary_cross_entropy_with_logits(net(mixed), wanted)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            schedule.step()
