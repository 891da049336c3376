"""What a frame with one moving face costs besides the network, on one core: 6 ms at most is the aim at 1280x720.

    python benchmarks/budget.py
    python benchmarks/budget.py runs/precisions/stargan-128/export/model.int8.onnx --out benchmarks/results/budget

The process keeps to one core, with one thread for everything. Not counted: drawing the frames, and the detector, which
in a live run searches in a thread of its own (here before each frame's other work).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from written import write

from edgegan.bench.machine import describe
from edgegan.runtime.errors import EdgeganError

FPS, WARM = 30.0, 30
ELSEWHERE = ("faces", "network")  # the detector's thread, and the network itself
PERCENTILES = (50, 95, 99)


def main() -> None:
    """Measures, prints the table and writes it with the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="avatars", help="default: the model of drawn faces that ships")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="default Blond_Hair=1")
    parser.add_argument("--size", default="1280x720", metavar="WxH", help="of the frames (default %(default)s)")
    parser.add_argument("--frames", type=int, default=600, help="that count (default %(default)s)")
    parser.add_argument("--out", type=Path, help="writes OUT.json and OUT.md")
    options = parser.parse_args()
    machine = describe()
    try:
        times, about = _measure(options)
    except EdgeganError as error:
        print(f"budget: {error}", file=sys.stderr)
        sys.exit(2)
    stages = {name: [round(float(p), 3) for p in np.percentile(v, PERCENTILES)] for name, v in times.items()}
    figures = {"size": options.size, "frames": options.frames, "cpu": machine.cpu, "load_before": machine.load_before}
    figures |= {"busy": machine.busy, "about": about, "percentiles": PERCENTILES, "stages_ms": stages}
    print(table(figures))
    if options.out:
        write(options.out, figures, table(figures))


def _measure(options: argparse.Namespace) -> tuple[dict[str, np.ndarray], str]:
    """Milliseconds of every frame by stage, and what ran."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # threads that begin later keep to it too
    import cv2

    from edgegan.runtime import Editor
    from edgegan.runtime.live.controls.panel import Panel
    from edgegan.runtime.live.screen.compositor import Compositor
    from edgegan.runtime.live.sinks.null import Null
    from edgegan.runtime.live.sources import open_source
    from edgegan.runtime.metrics.live import LiveTally

    cv2.setNumThreads(1)
    changes = {name: float(value) for name, _, value in (s.partition("=") for s in options.set or ["Blond_Hair=1"])}
    stats, rows = LiveTally(), []
    with (
        Editor.open(options.model, threads=1) as editor,
        open_source(f"synthetic:{options.size}@{FPS:g}") as source,
        Compositor(Null(), Panel(), stats, hud=True, about="budget") as sink,
    ):
        source.live = False
        for number, frame in enumerate(source):
            stages: dict[str, float] = {}
            stats.count_read()
            began = time.perf_counter()
            edited = editor.edit(frame.image_bgr, changes, timestamp=number / FPS, record=stages.__setitem__)
            done = time.perf_counter()
            sink.write(type(frame)(edited, frame.index, frame.timestamp, frame.source), frame.image_bgr)
            stages["dress"] = time.perf_counter() - done
            stats.count_shown(frame.timestamp)
            stages["other"] = done - began - sum(v for k, v in stages.items() if k != "dress")
            rows.append(stages)
            if len(rows) == WARM + options.frames:
                break
        chosen = editor.selection
        about = f"{editor.card.name} {editor.card.precision}, {chosen.backend}"
    times = {name: 1000.0 * np.array([row[name] for row in rows[WARM:]]) for name in rows[0]}
    times["besides the network"] = sum((v for k, v in times.items() if k not in ELSEWHERE), np.zeros(options.frames))
    return times, about


def table(figures: Mapping[str, Any]) -> str:
    """The figures as Markdown."""
    lines = [
        f"{figures['about']}, {figures['size']}, one moving face, {figures['frames']} frames, one core of "
        f"{figures['cpu']}",
        "",
        "| stage | " + " | ".join(f"p{p} ms" for p in figures["percentiles"]) + " |",
        "|---|" + "---:|" * len(figures["percentiles"]),
    ]
    for name, values in figures["stages_ms"].items():
        where = " (not counted)" if name in ELSEWHERE else ""
        lines.append(f"| {name}{where} | " + " | ".join(f"{v:.2f}" for v in values) + " |")
    if figures["busy"]:
        lines += ["", f"Beware: the machine was busy before (load average {figures['load_before']})."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
