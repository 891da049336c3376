"""The judge: a small classifier that reads a picture's attributes or its domain, trained on pictures of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from edgegan.data import Pictures, avatars, normalise, open_domains
from edgegan.data._files.domains import Joined
from edgegan.data._files.work import show_steps
from edgegan.runtime.files import atomic_path, cache_folder

FACES = 2000  # of the judge's own split: seeds that neither training nor the held-out set has
ROUNDS, DOMAIN_ROUNDS = 400, 150  # a domain is read off sooner than eight attributes
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
        """Pictures (N, 3, H, W) in [-1, 1] -> logits (N, labels)."""
        logits: Tensor = self.head(self.body(F.adaptive_avg_pool2d(image, 64)))
        return logits


def attribute_judge(size: int, names: tuple[str, ...]) -> Judge:
    """The judge of attributes on pictures of `size` pixels; trained once (less than a minute), then kept."""
    pictures = avatars.open_data(str(FACES), size=size, names=names, split="judge")

    def read_labels() -> tuple[Tensor, Tensor]:
        indices = range(len(pictures))
        seen = [[not pictures.is_hidden(i, n) for n in pictures.names] for i in indices]
        return torch.from_numpy(np.stack([pictures.label(i) for i in indices])), torch.tensor(seen).float()

    return _train(Judge(len(names)), f"{size} {names}", pictures, read_labels, ROUNDS)


def domain_judge(spec: str, size: int) -> Judge:
    """The judge that tells domain B (1) from A (0) of a data set, on pictures of its own; kept like the other.

    It takes every picture for one of the two, noise too: its figure means something beside a likeness.
    Raises InputError if the set has no pictures for a judge.
    """
    domains = open_domains(spec, size=size, split="judge")
    both = Joined(domains)

    def read_sides() -> tuple[Tensor, Tensor]:
        side = torch.cat([torch.zeros(len(domains.a), 1), torch.ones(len(domains.b), 1)])
        return side, torch.ones_like(side)

    seen = hashlib.sha256()
    for i in range(len(both)):  # folders keep their name when their pictures change
        seen.update(both.picture(i).tobytes())
    return _train(Judge(1), f"{size} {seen.hexdigest()}", both, read_sides, DOMAIN_ROUNDS)


def read(judge: Judge, images: NDArray[np.float32], batch: int = 64) -> NDArray[np.float32]:
    """Probabilities (N, labels) of pictures (N, 3, S, S) in [-1, 1]."""
    with torch.inference_mode():
        parts = [torch.sigmoid(judge(torch.from_numpy(images[i : i + batch]))) for i in range(0, len(images), batch)]
    found: NDArray[np.float32] = torch.cat(parts).numpy()
    return found


def _train(judge: Judge, of: str, pictures: Pictures, known: Callable[[], tuple[Tensor, Tensor]], rounds: int) -> Judge:
    """`judge` from the cache, else fitted to `pictures` and what is `known` of them: labels, and which can be seen."""
    recipe = f"{of} {len(pictures)} {rounds} {judge}".encode() + pictures.picture(0).tobytes()
    path = cache_folder() / f"judge-{hashlib.sha256(recipe).hexdigest()[:16]}.safetensors"
    if not path.is_file():
        images = torch.from_numpy(np.stack([normalise(pictures.picture(i)) for i in range(len(pictures))]))
        _fit(judge, images, *known(), rounds)
        with atomic_path(path) as temporary:
            save_file(judge.state_dict(), temporary)
    judge.load_state_dict(load_file(path))
    return judge.eval()


def _fit(judge: Judge, images: Tensor, labels: Tensor, seen: Tensor, rounds: int) -> None:
    """Binary cross-entropy on what can be seen (weights `seen`); noise keeps the judge from reading pixels."""
    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        optimiser = torch.optim.AdamW(judge.parameters(), 2e-3, weight_decay=1e-2)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=rounds)
        judge.train()
        for _ in show_steps(range(rounds), rounds, "Training a judge, which is kept"):
            pick = torch.randint(len(images), (BATCH,), generator=generator)
            noisy = images[pick] + 0.08 * torch.randn(images[pick].shape, generator=generator)
            loss = F.binary_cross_entropy_with_logits(judge(noisy), labels[pick], weight=seen[pick])
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            schedule.step()
