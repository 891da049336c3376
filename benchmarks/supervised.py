"""Generators of full width with weights that are not random: trained alone, with L1, to known answers.

They are what the table of `precisions.py` measures. A few hundred steps make no GAN, and make no pictures to show;
they spread values through the network as training does, which random weights do not, so that what FP16 and INT8 cost
can be measured. Each is an ordinary run: `edgegan export`, `bench` and `eval` work on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from edgegan import config, families
from edgegan.data import Counterfactual, normalise, open_pairs, open_pictures
from edgegan.families import Networks
from edgegan.runtime.files import write_atomic
from edgegan.runtime.generate import latent
from edgegan.train.folder import checkpoint
from edgegan.train.folder.run import Run, section

LABEL = "a generator trained alone with L1 for the benchmark, not a GAN"
KEPT = 64  # pictures, drawn once and shown again and again
Step = Callable[[], Tensor]  # the loss of the next batch


@dataclass(frozen=True)
class Subject:
    """A generator to train: `crop` is the side of the squares it is trained on, in pixels (None: whole pictures)."""

    name: str
    family: str
    preset: str
    data: str
    settings: tuple[str, ...]
    steps: int
    batch: int
    min_psnr_db: float  # what its INT8 form has to reach on the worst picture
    crop: int | None = None


SUBJECTS = (
    Subject(
        *("stargan-128", "stargan", "avatars-128", "avatars:400"),
        settings=("conv_dim=64", "blocks=6"),
        steps=400,
        batch=4,
        min_psnr_db=40.0,
    ),
    Subject(
        *("cyclegan-256", "cyclegan", "avatars-seasons-128", "avatars-seasons:200"),
        settings=("size=256", "load_size=256", "ngf=64", "blocks=9"),
        steps=300,
        batch=1,
        min_psnr_db=38.0,
        crop=128,
    ),
    Subject(
        *("pix2pix-256", "pix2pix", "avatars-seasons-64", "avatars-seasons:200"),
        settings=("size=256", "load_size=256", "ngf=64", "ndf=64", "norm=instance"),
        steps=300,
        batch=1,
        min_psnr_db=38.0,
    ),
    Subject(
        *("fastgan-256", "fastgan", "few-shot-256", "avatars:400"),
        settings=("bn_latents=64",),
        steps=200,
        batch=2,
        min_psnr_db=38.0,
    ),
)


def train(subject: Subject, folder: Path, tell: Callable[[int, float], None], *, threads: int | None = None) -> Run:
    """The subject's run in `folder`: trained now, or as it was left there.

    Args:
        tell: given the steps done and the L1 of the latest (on a scale where the full range is 2).
    """
    family = families.get(subject.family)
    settings = (*subject.settings, f"domain={LABEL}", f"train.data={subject.data}")
    cfg = config.load(family.Config, subject.family, subject.preset, settings)
    run = Run(folder, subject.family, cfg, subject.data)
    if run.checkpoints():
        return run
    if threads:
        torch.set_num_threads(threads)
    torch.manual_seed(0)
    nets = family.networks(cfg)
    trained = {name: nets[name].train() for name in family.EMA[:1]}  # of two directions, one speaks for both
    optimisers = {name: torch.optim.Adam(net.parameters(), 5e-4, (0.5, 0.999)) for name, net in trained.items()}
    step = STEPS[subject.family](subject, cfg, trained)
    for done in range(1, subject.steps + 1):
        loss = step()
        for adam in optimisers.values():
            adam.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        for adam in optimisers.values():
            adam.step()
        tell(done, float(loss.detach()))
    run.write_config()
    header: dict[str, Any] = {
        **run.header(),
        "images": subject.steps * subject.batch,
        "weights_only": True,
        "networks": list(trained),
    }
    tensors = {
        f"{section(family, name)}/{key}": value
        for name, net in trained.items()
        for key, value in net.state_dict().items()
    }
    checkpoint.save(run.checkpoint_path(subject.steps * subject.batch), header, tensors)
    write_atomic(
        folder / "README.md", f"{LABEL}: {subject.steps} steps of {subject.batch}, last L1 {loss:.3f}\n".encode()
    )
    return run


def _attributes(subject: Subject, cfg: Any, nets: Networks) -> Step:
    """StarGAN: a drawn face and a target label to the same face drawn with that label."""
    from edgegan.families.stargan.objective import edit_targets
    from edgegan.families.stargan.pictures import open_first_set

    pictures: Counterfactual = open_first_set(cfg, subject.data, "train")  # type: ignore[assignment]
    rng = np.random.default_rng(0)
    inputs, labels, answers = [], [], []
    for i in range(KEPT):
        targets = edit_targets(cfg, torch.from_numpy(pictures.label(i).copy()))
        for n in rng.choice(len(targets), 2, replace=False):
            name, target = targets[n]
            inputs.append(normalise(pictures.picture(i)))
            labels.append(target.numpy())
            answers.append(normalise(pictures.truth(i, name, bool(target[cfg.attributes.index(name)]))))
    x, c, y = (torch.from_numpy(np.stack(each)) for each in (inputs, labels, answers))
    rows = _rows(len(x), subject.batch)

    def step() -> Tensor:
        at = next(rows)
        return (nets["generator"](x[at], c[at]) - y[at]).abs().mean()

    return step


def _partners(subject: Subject, cfg: Any, nets: Networks) -> Step:
    """CycleGAN and pix2pix: a drawn face in summer to the same face in winter."""
    pairs = open_pairs(subject.data, size=cfg.size, split="train")
    a, b = (
        torch.from_numpy(np.stack([normalise(side.picture(i)) for i in range(KEPT)])) for side in (pairs.a, pairs.b)
    )
    rows, rng = _rows(KEPT, subject.batch), np.random.default_rng(0)
    (network,) = nets.values()

    def step() -> Tensor:
        at = next(rows)
        real_a, real_b = a[at], b[at]
        if subject.crop is not None:
            top, left = rng.integers(0, cfg.size - subject.crop + 1, 2)
            place = (..., slice(top, top + subject.crop), slice(left, left + subject.crop))
            real_a, real_b = real_a[place], real_b[place]
        return (network(real_a) - real_b).abs().mean()

    return step


def _latents(subject: Subject, cfg: Any, nets: Networks) -> Step:
    """FastGAN: latent i to picture i."""
    pictures = open_pictures(subject.data, size=cfg.size, split="train")
    y = torch.from_numpy(np.stack([normalise(pictures.picture(i)) for i in range(KEPT)]))
    z = torch.from_numpy(latent.draw(KEPT, cfg.nz))
    rows = _rows(KEPT, subject.batch)

    def step() -> Tensor:
        at = next(rows)
        large = nets["generator"](z[at])[0]
        return (large - y[at]).abs().mean()

    return step


def _rows(count: int, batch: int) -> Iterator[Tensor]:
    rng = np.random.default_rng(1)
    while True:
        for part in np.array_split(rng.permutation(count), count // batch):
            yield torch.from_numpy(part[:batch])


STEPS: dict[str, Callable[[Subject, Any, dict[str, nn.Module]], Step]] = {
    "stargan": _attributes,
    "cyclegan": _partners,
    "pix2pix": _partners,
    "fastgan": _latents,
}
