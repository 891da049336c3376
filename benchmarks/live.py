"""`edgegan live` beside the loop that a user would write (`plain_live.py`), on the same frames, in one run.

    python benchmarks/live.py runs/precisions/stargan-128 --set Blond_Hair=1
    python benchmarks/live.py runs/stargan --file model.int8.onnx --out benchmarks/results/live

The frames are a drawn face that moves, 1280x720, drawn before the clock starts and kept in memory; what is shown goes
nowhere. Each loop lives in a process of its own; they take turns of a few frames, and the speed-up is the median over
turns of the ratio within a turn. Each stage's time is edgegan's own account of it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from written import write

from edgegan.bench.fresh import QUIET
from edgegan.bench.machine import describe
from edgegan.runtime.errors import EdgeganError, InputError
from edgegan.runtime.live.source import Frame, Source

FPS = 30.0
NOT_LIVE = ("read", "write", "age")  # frames from memory wait in queues: `make bench` tells these, in real time


class Kept(Source):
    """Frames from memory, again and again: `count` at a time."""

    name, about, live, fps, length = "kept", "frames in memory", False, FPS, None

    def __init__(self, frames: np.ndarray) -> None:
        self._frames, self._shown, self.count = frames, 0, 0
        self.size_hw = (int(frames.shape[1]), int(frames.shape[2]))

    def __iter__(self) -> Iterator[Frame]:
        for _ in range(self.count):
            image = self._frames[self._shown % len(self._frames)]
            yield Frame(image, self._shown, time.monotonic(), self.name)
            self._shown += 1


def main() -> None:
    """Measures, prints the table and writes it with the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a run that was exported")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="as in edgegan live")
    parser.add_argument(
        "--file", action="append", default=[], help="of its export; default model.onnx and model.int8.onnx"
    )
    parser.add_argument("--size", default="1280x720", metavar="WxH", help="of the frames (default %(default)s)")
    parser.add_argument("--turns", type=int, default=10, help="that count (default %(default)s)")
    parser.add_argument("--frames", type=int, default=15, help="of each turn (default %(default)s)")
    parser.add_argument("--out", type=Path, help="writes OUT.json and OUT.md")
    parser.add_argument("--worker", nargs=2, metavar=("KIND", "FRAMES"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    try:
        if options.worker:
            return _work(options.run, options.worker[0], Path(options.worker[1]), _changes(options.set))
        figures = _measure(options)
    except EdgeganError as error:
        print(f"live: {error}", file=sys.stderr)
        sys.exit(2)
    print(table(figures))
    if options.out:
        write(options.out, figures, table(figures))


def _measure(options: argparse.Namespace) -> dict[str, Any]:
    machine = describe()
    files = options.file or [n for n in ("model.onnx", "model.int8.onnx") if (options.run / "export" / n).is_file()]
    missing = [n for n in files if not (options.run / "export" / n).is_file()]
    if missing or not files:
        raise InputError(
            f"{options.run}/export holds no {' and no '.join(missing) or 'model'}",
            todo="edgegan export RUN --precision fp32,int8",
        )
    with tempfile.TemporaryDirectory(prefix="edgegan-live-") as folder:
        frames = Path(folder) / "frames.npy"
        np.save(frames, _draw(options.size))
        workers = [_Worker(options, kind, frames) for kind in ("plain", *files)]
        try:
            turns = [[w.turn(options.frames) for w in workers] for _ in range(options.turns + 1)][1:]
            stages = [w.ask({"report": True}) for w in workers]
        finally:
            for worker in workers:
                worker.close()
    seconds = list(zip(*turns, strict=True))
    rows = []
    for worker, taken, known in zip(workers, seconds, stages, strict=True):
        ratios = [base / own for base, own in zip(seconds[0], taken, strict=True)]
        rows.append(
            {
                "loop": worker.kind,
                "fps": options.frames / statistics.median(taken),
                "speedup": statistics.median(ratios),
                "least": min(ratios),
                "most": max(ratios),
                **known,
            }
        )
    return {
        "run": options.run.name,
        "size": options.size,
        "changes": options.set,
        "turns": options.turns,
        "frames_per_turn": options.frames,
        "cpu": machine.cpu,
        "cores": machine.cores,
        "load_before": machine.load_before,
        "busy": machine.busy,
        "rows": rows,
    }


def _draw(size: str) -> np.ndarray:
    """Four seconds of the synthetic camera, (N, H, W, 3) uint8."""
    from edgegan.runtime.live.sources import open_source

    with open_source(f"synthetic:{size}@{FPS:g}") as source:
        source.live = False
        frames = []
        for frame in source:
            frames.append(frame.image_bgr)
            if len(frames) == 4 * FPS:
                break
    return np.stack(frames)


class _Worker:
    """A loop in a fresh process that edits as many frames as it is told to."""

    def __init__(self, options: argparse.Namespace, kind: str, frames: Path) -> None:
        self.kind = kind
        command = [sys.executable, __file__, str(options.run), "--worker", kind, str(frames)]
        command += [word for setting in options.set for word in ("--set", setting)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **QUIET}
        )

    def turn(self, frames: int) -> float:
        """Seconds for so many frames."""
        return float(self.ask({"frames": frames})["seconds"])

    def ask(self, words: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise InputError(f"the loop {self.kind} ended with {self._process.wait()}")
        found: dict[str, Any] = json.loads(answer)
        return found

    def close(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


def _work(run: Path, kind: str, frames: Path, changes: dict[str, float]) -> None:
    """The worker's side: a line for each order."""
    kept = Kept(np.load(frames))
    if kind == "plain":
        from plain_live import plain

        edit, known = plain(run, changes), {"stages": {}}

        def go(count: int) -> None:
            kept.count = count
            for frame in kept:
                edit(frame.image_bgr)
    else:
        from edgegan.runtime import Editor
        from edgegan.runtime.faces.options import FaceOptions
        from edgegan.runtime.live.sinks.null import Null
        from edgegan.runtime.live.stream import Stream
        from edgegan.runtime.metrics.live import LiveTally

        editor, stats = Editor.open(run / "export" / kind, faces=FaceOptions(beside=True)), LiveTally()
        known = {"backend": str(editor.selection.backend), "stages": {}}

        def process(frame: Frame, record: Any) -> Any:
            return editor.edit(frame.image_bgr, changes, timestamp=frame.index / FPS, record=record)

        def go(count: int) -> None:
            kept.count = count
            Stream(kept, process, Null(), newest_wins=False, stats=stats).run()
            head, rows = stats.table()
            known["stages"] = {
                row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows if row[0] not in NOT_LIVE
            }

    for line in sys.stdin:
        order = json.loads(line)
        answer: dict[str, Any] = known
        if "frames" in order:
            began = time.perf_counter()
            go(order["frames"])
            answer = {"seconds": time.perf_counter() - began}
        print(json.dumps(answer), flush=True)


def _changes(settings: Sequence[str]) -> dict[str, float]:
    return {name: float(value) for name, _, value in (s.partition("=") for s in settings)}


def table(figures: Mapping[str, Any]) -> str:
    """The figures as Markdown."""
    lines = [
        f"{figures['run']}, {figures['size']}, one moving face, {figures['cores']} cores of {figures['cpu']}",
        "",
        "| loop | frames/s | speed-up (median, least to most of the turns) |",
        "|---|---:|---:|",
    ]
    for row in figures["rows"]:
        name = "OpenCV and eager PyTorch" if row["loop"] == "plain" else f"edgegan, {row['loop']} ({row['backend']})"
        ratio = f"{row['speedup']:.2f} ({row['least']:.2f} to {row['most']:.2f})"
        lines.append(f"| {name} | {row['fps']:.1f} | {ratio} |")
    for row in figures["rows"]:
        if row["stages"]:
            heads = list(next(iter(row["stages"].values())))
            lines += ["", f"| {row['loop']}: stage | " + " | ".join(heads) + " |", "|---|" + "---:|" * len(heads)]
            lines += [f"| {stage} | " + " | ".join(cells.values()) + " |" for stage, cells in row["stages"].items()]
    lines += ["", f"{figures['turns']} turns of {figures['frames_per_turn']} frames each, in alternation."]
    if figures["busy"]:
        lines.append(f"Beware: the machine was busy before (load average {figures['load_before']}).")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
