"""All families on the same drawn faces, at one size and with one budget: sizes, pace, distances, latency exported.

    python benchmarks/families.py --minutes 4 --out benchmarks/results/families
    python benchmarks/families.py --row wgan --row dcgan --minutes 0.5 --out /tmp/two

Each row is trained on one thread for so many minutes of the processor's time, whatever else runs, then measured as it
is; a run that lies in `--runs` is not trained again. Settings are those of the family's small preset, at 64 px, with a
learning rate that does not fall. SWD and FD are the distances of `edgegan eval` to held-out faces. Generators begin
with latents, translators with held-out pictures, whose own distances stand beside. Latencies: one thread, in turns.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode
from written import write

from edgegan import config, families
from edgegan.bench.machine import describe
from edgegan.data import normalise, open_labelled, open_pairs, open_pictures
from edgegan.eager import Eager
from edgegan.eval.sets import Distances, Real, real
from edgegan.eval.subject import Subject, open_subjects
from edgegan.export import Request, export_run
from edgegan.families import ExportSpec
from edgegan.runtime.backends import open_backend
from edgegan.runtime.generate import conditions, latent
from edgegan.runtime.model.artefact import load
from edgegan.sheet import Picture, Sheet, to_picture
from edgegan.train.folder.run import Run, open_trained
from edgegan.train.loop import Budget, Trainer
from edgegan.train.reporter import Silence

SIZE, PICTURES, SHOWN = 64, 256, 10
FACES, SEASONS = "avatars:3000", "avatars-seasons:3000"
TURNS, CALLS = 15, 5  # of the clock


@dataclass(frozen=True)
class Row:
    """One line of the table: a family, the preset it begins with and what is set on top."""

    family: str
    preset: str
    settings: tuple[str, ...] = ()
    data: str = FACES


ROWS = {
    "dcgan": Row("dcgan", "avatars-64"),
    "improved": Row("dcgan", "avatars-32-improved"),
    "cgan": Row("cgan", "avatars-32"),
    "infogan": Row("infogan", "avatars-32"),
    "wgan": Row("wgan", "avatars-32"),
    "wgangp": Row("wgangp", "avatars-32"),
    "began": Row("began", "avatars-32"),
    "progan": Row("progan", "avatars-64"),
    "fastgan": Row("fastgan", "avatars-100"),
    "stargan": Row("stargan", "avatars-64"),
    "cyclegan": Row("cyclegan", "avatars-seasons-64", data=SEASONS),
    "pix2pix": Row("pix2pix", "avatars-seasons-64", data=SEASONS),
}


class SpentError(Exception):
    """The budget of processor time is used up."""


class Meter(Silence):
    """Ends a training after so many seconds of this process's processor time."""

    def __init__(self, seconds: float) -> None:
        self._began, self._seconds = time.process_time(), seconds

    @property
    def seconds(self) -> float:
        """Used so far."""
        return time.process_time() - self._began

    def step(self, images: int, round_: int, parts: dict[str, float], seconds: float, waited: float = 0.0) -> None:
        """Looks at the clock after each round."""
        if self.seconds > self._seconds:
            raise SpentError


def main() -> None:
    """Trains what is not trained yet, measures all rows, writes table, figures and a sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--row", action="append", choices=sorted(ROWS), help="repeatable; default: all")
    parser.add_argument("--minutes", type=float, default=4.0, help="of processor time for each training (default 4)")
    parser.add_argument("--runs", type=Path, default=Path("runs/families"), help="where the runs lie")
    parser.add_argument("--out", type=Path, required=True, help="writes OUT.json, OUT.md and OUT.png")
    options = parser.parse_args()
    torch.set_num_threads(1)
    names = options.row or list(ROWS)
    distances, found, pictures = Distances(), {}, {}
    for name in names:
        train(ROWS[name], options.runs / name, options.minutes)
        found[name], pictures[name] = measure(ROWS[name], options.runs / name, distances)
        print(name, found[name], flush=True)
    machine = describe()
    for name, times in measure_latencies({name: options.runs / name for name in names}).items():
        found[name] |= times
    budget: dict[str, Any] = {"size": SIZE, "minutes": options.minutes}
    figures = budget | {"rows": found, "machine": msgspec.to_builtins(machine), "busy": machine.busy}
    print(table(figures))
    write(options.out, figures, table(figures))
    Sheet([""] * SHOWN, [pictures[name][:SHOWN] for name in names], names).save(options.out.with_suffix(".png"))


def train(row: Row, folder: Path, minutes: float) -> None:
    """One run of so much processor time, unless the folder holds it."""
    cost = folder / "cost.json"
    if cost.is_file():
        return
    cfg = config.load(families.get(row.family).Config, row.family, row.preset, settings_of(row))
    trainer = Trainer(Run(folder, row.family, cfg, cfg.train.data), torch.device("cpu"))
    trainer.run.write_config()
    meter = Meter(60 * minutes)
    try:
        trainer.train(Budget(cfg.train.images), meter)
    except SpentError:
        trainer.save()
    cost.write_bytes(msgspec.json.encode({"images": trainer.images, "seconds": round(meter.seconds, 1)}))


def settings_of(row: Row) -> list[str]:
    """What is set on top of the row's preset: nothing but training costs time."""
    quiet = [f"train.{name}_images=0" for name in ("sample", "validate", "checkpoint", "decay")]
    return [f"size={SIZE}", f"train.data={row.data}", "train.workers=1", *quiet, *row.settings]


def measure(row: Row, folder: Path, distances: Distances) -> tuple[dict[str, Any], list[Picture]]:
    """Sizes, pace and distances of a trained run, and some of its pictures."""
    run, nets, _ = open_trained(folder)
    spent = msgspec.json.decode((folder / "cost.json").read_bytes())
    with open_subjects(folder) as subjects:
        began, made, reference = draw(subjects[0], row)
    network = next(name for name in run.family.EMA if name in nets)
    apart = distances.to(made, reference)["distances"]
    figures: dict[str, Any] = {
        "parameters": sum(p.numel() for p in nets[network].parameters()),
        "trained_parameters": sum(p.numel() for net in run.family.networks(run.cfg).values() for p in net.parameters()),
        "mmac": round(count_macs(run.family.exportable(run.cfg, nets, run.data)[0]) / 1e6, 1),
        "images": spent["images"],
        "images_per_s": round(spent["images"] / spent["seconds"], 1),
        "swd": apart["SWD"],
        "fd": apart["FD-efficientnet-lite0"],
    }
    if began:
        before = distances.to(began, reference)["distances"]
        figures["input"] = {"swd": before["SWD"]["value"], "fd": before["FD-efficientnet-lite0"]["value"]}
    return figures, made


def count_macs(spec: ExportSpec) -> float:
    """Multiply-accumulates of one picture, as it is exported (convolutions and matrix products)."""
    inputs = spec.golden(1)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        spec.module(*(torch.from_numpy(inputs[port.name][:1]) for port in spec.card.inputs))
    return counter.get_total_flops() / 2


def draw(subject: Subject, row: Row) -> tuple[list[Picture], list[Picture], Real]:
    """The pictures it began with (none: latents), those it made, and the held-out ones to compare them with."""
    card = subject.card
    if card.task == "generate":
        pictures = open_pictures(row.data, size=SIZE, split="heldout")
        told = conditions.draw(card.condition, PICTURES, 0)
        made = subject.generate(latent.draw(PICTURES, int(card.input("latent").shape[-1])), told)
        return [], made, real(pictures, PICTURES)
    if card.condition.kind == "none":
        pairs = open_pairs(row.data, size=SIZE, split="heldout")
        began = [pairs.a.picture(i) for i in range(min(PICTURES, len(pairs.a)))]
        return began, subject.translate(began), real(pairs.b, PICTURES)
    faces = open_labelled(row.data, size=SIZE, split="heldout", names=card.condition.names)
    half = len(faces) // 2
    began = [faces.picture(half + i) for i in range(half)]
    # Each is asked to be what a face of the other half is, to be compared with that half.
    asked = np.stack([faces.label(i) for i in range(half)])
    edited = [subject.edit(normalise(one)[None], asked[i : i + 1])[0] for i, one in enumerate(began)]
    return began, [to_picture(one) for one in edited], real(faces, half)


def measure_latencies(folders: dict[str, Path]) -> dict[str, dict[str, float]]:
    """Median milliseconds of one picture, in eager PyTorch and exported, all rows in turns on one thread."""
    found: dict[str, dict[str, list[float]]] = {name: {"eager_ms": [], "exported_ms": []} for name in folders}
    with ExitStack() as stack:
        players: dict[tuple[str, str], Callable[[], object]] = {}
        for name, folder in folders.items():
            run, nets, _ = open_trained(folder)
            spec = run.family.exportable(run.cfg, nets, run.data)[0]
            exported = export_run(Request(folder, precisions=("fp32",), pictures=4)).rows[0].path
            backend = stack.enter_context(open_backend(load(exported), backend="openvino", threads=1))
            inputs = {key: rows[:1] for key, rows in spec.golden(1).items()}
            players[name, "eager_ms"] = partial(Eager(spec).run, inputs)
            players[name, "exported_ms"] = partial(backend.run, inputs)
        for turn in range(TURNS + 1):
            for (name, what), play in players.items():
                play()  # the caches still hold the one before
                began = time.perf_counter()
                for _ in range(CALLS):
                    play()
                if turn:  # the first is warm-up
                    found[name][what].append(1e3 * (time.perf_counter() - began) / CALLS)
    return {name: {what: round(median(times), 2) for what, times in kinds.items()} for name, kinds in found.items()}


def table(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = [
        f"{figures['size']} px, {figures['minutes']:g} minutes of one thread each, {figures['machine']['cpu']}",
        "",
        "| family | parameters, millions (all networks) | MMAC | images/s | SWD (floor) | FD (floor) | eager, ms "
        "| exported, ms |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, row in figures["rows"].items():
        before = row.get("input", {})
        cells = [
            f"{row['parameters'] / 1e6:.2f} ({row['trained_parameters'] / 1e6:.2f})",
            f"{row['mmac']:.1f}",
            f"{row['images_per_s']:.0f}",
            *(
                f"{row[key]['value']:.1f} ({row[key]['floor']:.1f})" + (f", input {before[key]:.1f}" if before else "")
                for key in ("swd", "fd")
            ),
            f"{row['eager_ms']:.2f}",
            f"{row['exported_ms']:.2f}",
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    if figures["busy"]:
        lines += ["", "The machine was busy: the latencies are not for publication."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
