"""The judge: a small classifier that reads the attributes off a drawn face, trained on faces of its own."""

from __future__ import annotations

import hashlib

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from edgegan.data import avatars
from edgegan.data._labelled import normalised
from edgegan.runtime.files import atomic_path, cache_folder

FACES = 2000  # of the judge's own split: seeds that neither training nor the held-out set has
ROUNDS = 400
BATCH = 64


class Judge(nn.Module):
    """(N, 3, S, S) in [-1, 1] -> logits (N, attributes). It looks at 64 px: enough, and four times as fast."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inside, outside in ((3, 16), (16, 32), (32, 64), (64, 64)):
            layers += [nn.Conv2d(inside, outside, 4, 2, padding=1), nn.BatchNorm2d(outside), nn.ReLU(inplace=True)]
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3))
        self.head = nn.Linear(64 * 4 * 4, labels)

    def forward(self, image: Tensor) -> Tensor:
        """Logits."""
        logits: Tensor = self.head(self.body(F.adaptive_avg_pool2d(image, 64)))
        return logits


def trained_judge(size: int, names: tuple[str, ...]) -> Judge:
    """The judge for pictures of `size` pixels; trained once (less than a minute), then kept in the cache."""
    pictures = avatars.open_data(str(FACES), size=size, names=names, split="judge")
    judge = Judge(len(names))
    recipe = f"{size} {names} {FACES} {ROUNDS} {judge}".encode() + pictures.picture(0).tobytes()
    path = cache_folder() / f"judge-{hashlib.sha256(recipe).hexdigest()[:16]}.safetensors"
    if path.is_file():
        judge.load_state_dict(load_file(path))
        return judge.eval()
    _fit(judge, pictures)
    with atomic_path(path) as temporary:
        save_file(judge.state_dict(), temporary)
    return judge.eval()


def read(judge: Judge, images: NDArray[np.float32], batch: int = 64) -> NDArray[np.float32]:
    """Probabilities (N, attributes) of pictures (N, 3, S, S) in [-1, 1]."""
    with torch.inference_mode():
        parts = [torch.sigmoid(judge(torch.from_numpy(images[i : i + batch]))) for i in range(0, len(images), batch)]
    found: NDArray[np.float32] = torch.cat(parts).numpy()
    return found


def _fit(judge: Judge, pictures: avatars.AvatarPictures) -> None:
    """Binary cross-entropy on every attribute that can be seen; noise keeps the judge from reading pixels."""
    images = torch.from_numpy(np.stack([normalised(pictures.picture(i)) for i in range(len(pictures))]))
    labels = torch.from_numpy(np.stack([pictures.label(i) for i in range(len(pictures))]))
    seen = torch.tensor([[not pictures.hidden(i, n) for n in pictures.names] for i in range(len(pictures))])
    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        optimiser = torch.optim.AdamW(judge.parameters(), 2e-3, weight_decay=1e-2)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=ROUNDS)
        judge.train()
        for _ in range(ROUNDS):
            pick = torch.randint(len(images), (BATCH,), generator=generator)
            noisy = images[pick] + 0.08 * torch.randn(images[pick].shape, generator=generator)
            loss = F.binary_cross_entropy_with_logits(judge(noisy), labels[pick], weight=seen[pick].float())
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            schedule.step()
