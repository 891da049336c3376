"""The straightforward training loop of each paper: what somebody writes from its text, in plain PyTorch.

Each takes (cfg, nets, streams, workers) and yields, after every step, how many real pictures it has shown. It trains
where the networks are: on a GPU batches come out of pinned memory, and convolutions may use TF32, as is PyTorch's
default. Networks,
data, losses' weights and the number of updates are those of the family's config; the rest is as the papers' own
training does it: float32, the default memory layout, a DataLoader with worker processes, Adam with its defaults,
losses written out and read with `item()` at every step, no freezing but where the paper's training freezes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from edgegan.families import Networks, Stream
from edgegan.networks.diff_augment import DRAWS, diff_augment

PlainLoop = Callable[[Any, Networks, Mapping[str, Stream], int], Iterator[int]]


class _Items(Dataset[dict[str, np.ndarray]]):
    def __init__(self, stream: Stream) -> None:
        self.stream = stream

    def __len__(self) -> int:
        return len(self.stream)

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        return dict(self.stream.item(index, np.random.default_rng()))


def _batches(stream: Stream, batch: int, workers: int, nets: Networks) -> Iterator[dict[str, Tensor]]:
    device = next(next(iter(nets.values())).parameters()).device
    sampler = torch.utils.data.RandomSampler(_Items(stream), replacement=True, num_samples=1 << 30)
    pinned = device.type == "cuda"
    for found in DataLoader(_Items(stream), batch, sampler=sampler, num_workers=workers, pin_memory=pinned):
        yield {name: tensor.to(device, non_blocking=pinned) for name, tensor in found.items()}


def stargan(cfg: Any, nets: Networks, streams: Mapping[str, Stream], workers: int) -> Iterator[int]:
    """WGAN-GP; D at every step, G at every n_critic-th (Choi et al. 2018, section 4)."""
    if cfg.adversarial != "wgan-gp" or cfg.targets != "permute" or cfg.sets:
        raise SystemExit("the plain loop is the paper's: wgan-gp, permuted targets, one data set")
    g, d = nets["generator"], nets["discriminator"]
    g_adam = torch.optim.Adam(g.parameters(), cfg.g_lr, (cfg.beta1, cfg.beta2))
    d_adam = torch.optim.Adam(d.parameters(), cfg.d_lr, (cfg.beta1, cfg.beta2))

    def classification(logits: Tensor, label: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(logits, label, reduction="sum") / len(label)

    for step, batch in enumerate(_batches(streams["real"], cfg.train.batch, workers, nets), 1):
        image, label = batch["image"], batch["label"]
        target = label[torch.randperm(len(label), device=label.device)]

        real_score, logits = d(image)
        fake = g(image, target)
        fake_score, _ = d(fake.detach())
        d_cls = classification(logits, label)
        alpha = torch.rand(len(image), 1, 1, 1, device=image.device)
        mixed = (alpha * image.data + (1 - alpha) * fake.data).requires_grad_(True)
        score, _ = d(mixed)
        (slope,) = torch.autograd.grad(score, mixed, torch.ones_like(score), create_graph=True, retain_graph=True)
        gp = (slope.view(len(slope), -1).norm(dim=1) - 1).square().mean()
        d_loss = fake_score.mean() - real_score.mean() + cfg.lambda_cls * d_cls + cfg.lambda_gp * gp
        g_adam.zero_grad()
        d_adam.zero_grad()
        d_loss.backward()
        d_adam.step()
        _ = [d_cls.item(), gp.item(), d_loss.item()]

        if step % cfg.n_critic == 0:
            fake = g(image, target)
            score, logits = d(fake)
            g_cls = classification(logits, target)
            rec = (image - g(fake, label)).abs().mean()
            g_loss = -score.mean() + cfg.lambda_rec * rec + cfg.lambda_cls * g_cls
            g_adam.zero_grad()
            d_adam.zero_grad()
            g_loss.backward()
            g_adam.step()
            _ = [g_cls.item(), rec.item(), g_loss.item()]
        yield len(image)


def cyclegan(cfg: Any, nets: Networks, streams: Mapping[str, Stream], workers: int) -> Iterator[int]:
    """LSGAN, cycle, identity, pools of generated pictures; G, then D (Zhu et al. 2017, sections 3, 4 and 7.1)."""
    if cfg.adversarial != "lsgan":
        raise SystemExit("the plain loop is the paper's: lsgan")
    a_to_b, b_to_a, d_a, d_b = (nets[name] for name in ("AtoB", "BtoA", "D_A", "D_B"))
    betas = (cfg.beta1, cfg.beta2)
    g_adam = torch.optim.Adam([*a_to_b.parameters(), *b_to_a.parameters()], cfg.g_lr, betas)
    d_adam = torch.optim.Adam([*d_a.parameters(), *d_b.parameters()], cfg.d_lr, betas)
    pools: tuple[list[Tensor], list[Tensor]] = ([], [])

    def game(score: Tensor, real: bool) -> Tensor:
        return F.mse_loss(score, torch.full_like(score, float(real)))

    def swap_with_pool(pool: list[Tensor], fakes: Tensor) -> Tensor:
        found = []
        for fake in fakes.detach().split(1):
            if len(pool) < cfg.pool:
                pool.append(fake)
            elif pool and random.random() < 0.5:
                place = random.randrange(len(pool))
                pool[place], fake = fake, pool[place]
            found.append(fake)
        return torch.cat(found)

    sides = (_batches(streams[name], cfg.train.batch, workers, nets) for name in ("a", "b"))
    for batch_a, batch_b in zip(*sides, strict=True):
        a, b = batch_a["image"], batch_b["image"]
        fake_b, fake_a = a_to_b(a), b_to_a(b)
        rec_a, rec_b = b_to_a(fake_b), a_to_b(fake_a)
        for p in (*d_a.parameters(), *d_b.parameters()):
            p.requires_grad_(False)
        g_adam.zero_grad()
        idt = cfg.lambda_identity * (cfg.lambda_b * F.l1_loss(a_to_b(b), b) + cfg.lambda_a * F.l1_loss(b_to_a(a), a))
        cycle = cfg.lambda_a * F.l1_loss(rec_a, a) + cfg.lambda_b * F.l1_loss(rec_b, b)
        g_loss = game(d_a(fake_b), True) + game(d_b(fake_a), True) + cycle + idt
        g_loss.backward()
        g_adam.step()
        for p in (*d_a.parameters(), *d_b.parameters()):
            p.requires_grad_(True)
        d_adam.zero_grad()
        for d, real, fake, pool in ((d_a, b, fake_b, pools[0]), (d_b, a, fake_a, pools[1])):
            d_loss = 0.5 * (game(d(real), True) + game(d(swap_with_pool(pool, fake)), False))
            d_loss.backward()
            _ = d_loss.item()
        d_adam.step()
        _ = [g_loss.item(), cycle.item()]
        yield len(a)


def fastgan(cfg: Any, nets: Networks, streams: Mapping[str, Stream], workers: int) -> Iterator[int]:
    """Hinge with random margins, three reconstructions, an average of the weights; D, then G (Liu et al. 2021)."""
    from edgegan.families.fastgan.discriminator import Discriminator, quadrants
    from edgegan.families.fastgan.objective import resize

    if cfg.reconstruction != "l1":
        raise SystemExit("the plain loop reconstructs with l1")
    g, d = nets["generator"], nets["discriminator"]
    assert isinstance(d, Discriminator)
    g_adam = torch.optim.Adam(g.parameters(), cfg.g_lr, (cfg.beta1, cfg.beta2))
    d_adam = torch.optim.Adam(d.parameters(), cfg.d_lr, (cfg.beta1, cfg.beta2))
    average = [p.detach().clone() for p in g.parameters()]

    def augment(image: Tensor) -> Tensor:
        return diff_augment(image, torch.rand(len(image), DRAWS, device=image.device), cfg.augment)

    def margin(score: Tensor) -> Tensor:
        return 0.8 + 0.2 * torch.rand_like(score)

    for batch in _batches(streams["real"], cfg.train.batch, workers, nets):
        real = augment(batch["image"])
        fakes = [augment(fake) for fake in g(torch.randn(len(real), cfg.nz, device=real.device))]
        d_adam.zero_grad()
        which = torch.full((len(real),), random.randrange(4), device=real.device)
        found = d.features(real, resize(real, d.small))
        score = d.score(found)
        whole, from_small, part = d.reconstruct(found, which)
        target, corner = resize(real, d.rec_size), resize(quadrants(real, which), d.rec_size)
        rec = F.l1_loss(whole, target) + F.l1_loss(from_small, target) + F.l1_loss(part, corner)
        d_loss = F.relu(margin(score) - score).mean() + cfg.lambda_rec * rec
        d_loss.backward()
        score = d(*(fake.detach() for fake in fakes))
        fake_loss = F.relu(margin(score) + score).mean()
        fake_loss.backward()
        d_adam.step()
        g_adam.zero_grad()
        g_loss = -d(*fakes).mean()
        g_loss.backward()
        g_adam.step()
        for kept, now in zip(average, g.parameters(), strict=True):
            kept.mul_(0.999).add_(0.001 * now.data)
        _ = [d_loss.item(), fake_loss.item(), g_loss.item()]
        yield len(real)


LOOPS: dict[str, PlainLoop] = {"stargan": stargan, "cyclegan": cyclegan, "fastgan": fastgan}
