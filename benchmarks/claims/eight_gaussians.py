"""A mixture of eight Gaussians in the plane, learned by clipping a critic's weights and by penalising its slope.

    python benchmarks/claims/eight_gaussians.py --out benchmarks/results/eight-gaussians

The toy of the WGAN-GP paper (Gulrajani et al. 2017, section 3): two MLPs, 256 points a step, 5 steps of the critic for
each of the generator. Writes a picture (level sets of the critic, and 1024 generated points) and the figures as JSON.

    covered    of the 8 modes, those with at least 1/32 of the generated points within 3 standard deviations
    on a mode  share of the generated points that lie so close to one
    slope      mean of |grad D| between real and generated points
    at a bound share of the clipped weights at +-clip (farther than 0.99 of it)
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from edgegan import losses
from edgegan.families.wgan.objective import clip_weights
from edgegan.runtime.files import atomic_path, write_atomic

MODES, RADIUS, SPREAD = 8, 2.0, 0.02
NOISE, BATCH, CRITIC_STEPS = 2, 256, 5
CLIP, LAMBDA = 0.1, 0.1
SHOWN, EDGE = 1024, 3.0


@dataclass(frozen=True)
class Figures:
    """What one of the two ways came to; see above."""

    way: str
    steps: int
    covered: int
    on_a_mode: float
    slope: float
    at_a_bound: float
    seconds: float


def centres() -> Tensor:
    """(8, 2), on a circle."""
    angle = torch.arange(MODES) * (2 * math.pi / MODES)
    return RADIUS * torch.stack([angle.cos(), angle.sin()], 1)


def draw_real(count: int, rng: torch.Generator) -> Tensor:
    """(count, 2, 1, 1): points as pictures of one pixel, which the losses take."""
    which = torch.randint(MODES, (count,), generator=rng)
    points = centres()[which] + SPREAD * torch.randn(count, 2, generator=rng)
    return points[:, :, None, None]


def build_mlp(width: int) -> nn.Sequential:
    """(N, 2) or (N, 2, 1, 1) -> (N, outputs)."""
    hidden = [nn.Flatten(), nn.Linear(2, width), nn.ReLU()]
    return nn.Sequential(*hidden, nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())


def train(way: str, steps: int, width: int, seed: int) -> tuple[nn.Module, Tensor, Figures]:
    """The critic, 1024 generated points (SHOWN, 2), and the figures."""
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed)
    g, d = build_mlp(width).append(nn.Linear(width, 2)), build_mlp(width).append(nn.Linear(width, 1))

    def generate(count: int) -> Tensor:
        drawn: Tensor = g(torch.randn(count, NOISE, generator=rng))
        return drawn[:, :, None, None]

    def optimiser(net: nn.Module) -> torch.optim.Optimizer:
        if way == "clipping":
            return torch.optim.RMSprop(net.parameters(), 5e-5)
        return torch.optim.Adam(net.parameters(), 1e-4, (0.5, 0.9))

    for_g, for_d = optimiser(g), optimiser(d)
    began = time.monotonic()
    for _ in range(steps):
        for _ in range(CRITIC_STEPS):
            real, fake = draw_real(BATCH, rng), generate(BATCH).detach()
            loss = losses.wgan_d(d(real), d(fake))
            if way == "penalty":
                alpha = torch.rand(BATCH, generator=rng)
                loss = loss + LAMBDA * losses.gradient_penalty(d, real, fake, alpha)
            for_d.zero_grad()
            loss.backward()
            for_d.step()
            if way == "clipping":
                clip_weights(d, CLIP)
        loss = losses.critic_g(d(generate(BATCH)))
        for_g.zero_grad()
        loss.backward()
        for_g.step()
    seconds = time.monotonic() - began
    with torch.no_grad():
        points = generate(SHOWN).flatten(1)
    return d, points, measure(way, steps, d, points, rng, seconds)


def measure(way: str, steps: int, d: nn.Module, points: Tensor, rng: torch.Generator, seconds: float) -> Figures:
    """The figures of a critic and of generated points (N, 2)."""
    far = torch.cdist(points, centres())
    near = far.min(1).values <= 3 * SPREAD
    counts = torch.bincount(far.argmin(1)[near], minlength=MODES)
    real = draw_real(len(points), rng)
    alpha = torch.rand(len(points), 1, 1, 1, generator=rng)
    between = torch.lerp(points[:, :, None, None], real, alpha).requires_grad_()
    (gradient,) = torch.autograd.grad(d(between).sum(), between)
    weights = torch.cat([p.detach().flatten().abs() for p in d.parameters()])
    return Figures(
        way,
        steps,
        covered=int((counts >= len(points) / 32).sum()),
        on_a_mode=round(float(near.float().mean()), 4),
        slope=round(float(gradient.flatten(1).norm(dim=1).mean()), 4),
        at_a_bound=round(float((weights >= 0.99 * CLIP).float().mean()), 4) if way == "clipping" else 0.0,
        seconds=round(seconds, 1),
    )


def draw(found: list[tuple[nn.Module, Tensor, Figures]], path: Path) -> None:
    """One panel a way: level sets of the critic, real modes and generated points."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(found), figsize=(4 * len(found), 4.3), dpi=100)
    axis = np.linspace(-EDGE, EDGE, 121, dtype=np.float32)
    grid = torch.from_numpy(np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2))
    for panel, (d, points, figures) in zip(panels, found, strict=True):
        with torch.no_grad():
            heights = d(grid).view(len(axis), len(axis)).numpy()
        panel.contour(axis, axis, heights, 20, cmap="viridis", linewidths=0.8)
        panel.scatter(*points.numpy().T, s=3, color="#16a34a", label="generated")
        panel.scatter(*centres().numpy().T, s=60, facecolors="none", edgecolors="#ea580c", label="modes")
        panel.set(xlim=(-EDGE, EDGE), ylim=(-EDGE, EDGE), xticks=[], yticks=[], aspect="equal")
        panel.set_title(f"{figures.way}: {figures.covered} of {MODES} modes", fontsize=11)
    panels[0].legend(loc="lower right", fontsize=8)
    figure.tight_layout()
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png")


def main() -> None:
    """Both ways, a picture and a JSON file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="where to write OUT.png and OUT.json")
    parser.add_argument("--steps", type=int, default=2000, help="of the generator")
    parser.add_argument("--width", type=int, default=128, help="units of a hidden layer")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    say: Callable[[str], None] = print
    found = []
    for way in ("clipping", "penalty"):
        found.append(train(way, options.steps, options.width, options.seed))
        say(json.dumps(asdict(found[-1][2])))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    draw(found, options.out.with_suffix(".png"))
    document = {
        "command": "python benchmarks/claims/eight_gaussians.py",
        "ways": [asdict(figures) for *_, figures in found],
    }
    write_atomic(options.out.with_suffix(".json"), (json.dumps(document, indent=2) + "\n").encode())


if __name__ == "__main__":
    main()
