"""Training speed beside the straightforward loop of the paper: same networks, data and updates, one machine, one run.

    python benchmarks/throughput.py --family stargan
    python benchmarks/throughput.py --family cyclegan --preset avatars-seasons-64 --set train.batch=4 --turns 20
    python benchmarks/throughput.py --family fastgan --out benchmarks/results/throughput-fastgan
    python benchmarks/throughput.py --family stargan --device cuda --out benchmarks/results/gpu/throughput-stargan

The two loops take turns (ours, plain, ours, plain) of `--steps` steps each. The speed-up is the median over turns of
the ratio within a turn: neighbours see the same pace of a machine that others share. The first turn is warm-up.
On a GPU a turn ends when the GPU has done its work; precisions are those of the preset and of plain PyTorch.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import torch
from plain_loops import LOOPS
from written import write

from edgegan import config, families
from edgegan.bench.machine import describe
from edgegan.runtime.errors import EdgeganError
from edgegan.train.acceleration import autocast_dtype, pick_device
from edgegan.train.folder.run import Run
from edgegan.train.loader import Loader, readers
from edgegan.train.loop import Trainer

PRESETS = {"stargan": "avatars-64", "cyclegan": "avatars-seasons-64", "fastgan": "avatars-100"}


def main() -> None:
    """Measures, prints the table and writes it with the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--family", required=True, choices=sorted(LOOPS))
    parser.add_argument("--preset", help="default: a small one on drawn pictures")
    parser.add_argument("--data", help="default: the preset's")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as in edgegan train")
    parser.add_argument("--turns", type=int, default=10, help="turns of each loop that count (default 10)")
    parser.add_argument("--steps", type=int, help="steps a turn; default 6, or two rounds of critic steps")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default cpu)")
    parser.add_argument("--workers", type=int, default=2, help="the plain loop's DataLoader workers (default 2)")
    parser.add_argument("--out", type=Path, help="writes OUT.json and OUT.md")
    options = parser.parse_args()
    try:
        figures = measure(options)
    except EdgeganError as error:
        print(f"throughput: {error}", file=sys.stderr)
        sys.exit(2)
    print(table(figures))
    if options.out:
        write(options.out, figures, table(figures))


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Both loops' images per second in every turn, and their ratio."""
    torch.set_num_threads(options.threads)
    device = pick_device(options.device)
    family = families.get(options.family)
    preset = options.preset or PRESETS[options.family]
    cfg = config.load(family.Config, options.family, preset, options.set)
    machine = describe()
    steps = options.steps or 2 * getattr(cfg, "n_critic", 3)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        trainer = Trainer(Run(Path(folder), options.family, cfg, options.data or cfg.train.data), device)
        waits: list[float] = []
        torch.manual_seed(cfg.train.seed)
        loops = {
            "edgegan": _ours(trainer, stack, waits),
            "plain": LOOPS[options.family](cfg, _networks_on(device, family, cfg), trainer.streams, options.workers),
        }
        rates: dict[str, list[float]] = {name: [] for name in loops}
        for _ in range(options.turns + 1):
            for name, loop in loops.items():
                began = time.perf_counter()
                shown = sum(next(loop) for _ in range(steps))
                if device.type == "cuda":
                    torch.cuda.synchronize(device)
                rates[name].append(shown / (time.perf_counter() - began))
        loops["plain"].close()  # type: ignore[attr-defined]
    ratios = [ours / plain for ours, plain in zip(rates["edgegan"][1:], rates["plain"][1:], strict=True)]
    ours_s = sum(steps * cfg.train.batch / rate for rate in rates["edgegan"][1:])
    return {
        "family": options.family,
        "preset": preset,
        "settings": options.set,
        "batch": cfg.train.batch,
        "turns": options.turns,
        "steps_a_turn": steps,
        "threads": options.threads,
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "precision": {
            "edgegan": str(autocast_dtype(cfg.train, device) or "fp32").removeprefix("torch."),
            "plain": _plain_precision(device),
        },
        "images_per_s": {name: [round(rate, 3) for rate in found[1:]] for name, found in rates.items()},
        "median_images_per_s": {name: statistics.median(found[1:]) for name, found in rates.items()},
        "speed_up": statistics.median(ratios),
        "speed_up_least_and_most": [min(ratios), max(ratios)],
        "waiting_for_data_share": sum(waits[steps:]) / ours_s,
        "machine": msgspec.to_builtins(machine),
        "busy": machine.busy,
    }


def _networks_on(device: torch.device, family: families.Family, cfg: Any) -> dict[str, torch.nn.Module]:
    return {name: net.to(device) for name, net in family.networks(cfg).items()}


def _plain_precision(device: torch.device) -> str:
    """What plain PyTorch computes in: on a GPU its convolutions may round float32 products to TF32."""
    return "fp32, convolutions in tf32" if device.type == "cuda" and torch.backends.cudnn.allow_tf32 else "fp32"


def _ours(trainer: Trainer, stack: ExitStack, waits: list[float]) -> Iterator[int]:
    """The steps of `Trainer.train`, without what it writes."""
    cfg = trainer.cfg
    loaders = {
        name: stack.enter_context(Loader(stream, seed=cfg.seed, number=number, workers=readers(cfg.workers)))
        for number, (name, stream) in enumerate(trainer.streams.items())
    }
    while True:
        began = time.perf_counter()
        steps = trainer._steps(loaders)
        waits.append(time.perf_counter() - began)
        trainer._round(steps)
        yield cfg.batch


def table(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    medians, (least, most) = figures["median_images_per_s"], figures["speed_up_least_and_most"]
    settings, kinds = " ".join(figures["settings"]), figures["precision"]
    speed_up = f"{figures['speed_up']:.2f} ({least:.2f} to {most:.2f})"
    faster = figures["speed_up"] >= 1 or math.isclose(figures["speed_up"], 1, abs_tol=0.02)
    lines = [
        f"Training {figures['family']}, preset {figures['preset']}{' ' + settings if settings else ''}, "
        f"batch {figures['batch']}, {figures['threads']} threads, {figures['machine']['cpu']}"
        + (f", {figures['device']}" if figures["device"] != "cpu" else ""),
        "",
        "| loop | images/s (median) | speed-up (median, least to most of the turns) |",
        "|---|---|---|",
        f"| plain, {kinds['plain']} | {medians['plain']:.2f} | 1.00 |",
        f"| edgegan, {kinds['edgegan']} | {medians['edgegan']:.2f} | {speed_up} |",
        "",
        f"{figures['turns']} turns of {figures['steps_a_turn']} steps each, in alternation; edgegan waited for data "
        f"{figures['waiting_for_data_share']:.1%} of its time." + ("" if faster else " **edgegan is slower here.**"),
    ]
    if figures["busy"]:
        lines += ["", "The machine was busy: these figures are not for publication."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
