"""What an edge device needs to know: every backend's speed by threads and batch, start, memory, stamina and energy.

    edgegan export models/avatars-student-128 --out open --precision fp32,int8 --format onnx,openvino --batch dynamic
    edgegan export models/avatars-student-128 --out fixed --precision fp32 --format mnn,ncnn
    python benchmarks/edge.py open fixed --out benchmarks/results/edge

Each artefact on each backend that it was verified on runs in a process of its own, once for each number of threads.
`start` is from starting Python to the first result, `memory` what that process then holds; times are the medians of a
picture, in batches where the artefact takes them. All pairs take turns, and a time is the least of theirs. At the end
the fastest pair runs alone for `--sustained` seconds: a device that grows hot is slower at the end. Energy is what RAPL
or a battery says meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from written import name_of, write

from edgegan.bench.machine import describe
from edgegan.runtime.backends import open_backend
from edgegan.runtime.errors import EdgeganError
from edgegan.runtime.metrics.live import resident_mb
from edgegan.runtime.model import golden
from edgegan.runtime.model.artefact import load

SUFFIXES = (".onnx", ".xml", ".mnn", ".param", ".tflite")
BATCHES = (1, 2, 4)
WARM, SPANS = 5, 10
RAPL, SUPPLIES = Path("/sys/class/powercap"), Path("/sys/class/power_supply")


def main() -> None:
    """Measures, prints the table and writes it with the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*", help="export folders; classifiers are left out")
    parser.add_argument("--threads", type=int, action="append", help="repeatable; default: 1 and 2")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each turn of a batch (default %(default)s)")
    parser.add_argument("--turns", type=int, default=3, help="of every pair (default %(default)s)")
    parser.add_argument("--sustained", type=float, default=600.0, help="seconds; 0: none (default %(default)s)")
    parser.add_argument("--out", type=Path, help="writes OUT.json and OUT.md")
    parser.add_argument("--worker", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        try:
            print(json.dumps(run(*options.worker)))
        except EdgeganError as error:
            sys.exit(str(error).splitlines()[0])
        return
    if not options.folders:
        parser.error("name an export folder")
    machine = describe()
    threads = options.threads or [1, 2]
    jobs = [(*pair, count) for folder in options.folders for pair in pairs(folder) for count in threads]
    if not jobs:
        parser.error("nothing there that a backend here was verified on")
    rows: dict[tuple[Path, str, int], dict[str, Any]] = {job: {} for job in jobs}
    for _ in range(options.turns):
        for job, row in rows.items():
            merge(row, measure(*job, options.seconds))
    ran = [job for job, row in rows.items() if "ms" in row]
    if not ran:
        sys.exit("edge: " + "; ".join(dict.fromkeys(row["failed"] for row in rows.values())))
    best = min(ran, key=lambda job: min(rows[job]["ms"].values()))
    lasting = measure(*best, options.sustained, sustained=True) if options.sustained else None
    found = [{"file": name_of(path), "backend": b, "threads": t, **row} for (path, b, t), row in rows.items()]
    figures: dict[str, Any] = {"rows": found, "sustained": lasting, "of": [name_of(best[0]), *best[1:]]}
    figures |= {"machine": msgspec.to_builtins(machine), "busy": machine.busy}
    print(table(figures))
    if options.out:
        write(options.out, figures, table(figures))


def pairs(folder: Path) -> Iterator[tuple[Path, str]]:
    """The artefacts of a folder but for classifiers, each with the backends that it was verified on."""
    for path in sorted(folder.iterdir()):
        if path.suffix in SUFFIXES and not path.name.startswith("classifier"):
            for backend, known in load(path).card.verification.items():
                if known.status == "passed":
                    yield path, backend


def measure(path: Path, backend: str, threads: int, seconds: float, *, sustained: bool = False) -> dict[str, Any]:
    """The figures of a fresh process; `{"failed": words}` of one that fails."""
    worker = [str(path), backend, str(threads), str(seconds), "sustained" if sustained else "batches"]
    kept = {**os.environ, "EDGEGAN_OPENVINO_CACHE": "", "EDGEGAN_STARTED": repr(time.time())}
    done = subprocess.run([sys.executable, __file__, "--worker", *worker], capture_output=True, text=True, env=kept)
    if done.returncode:
        return {"failed": (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def run(path: str, backend: str, threads: str, seconds: str, way: str) -> dict[str, Any]:
    """In the process of its own: the figures of one pair."""
    artefact = load(path)
    given = golden.read(artefact.path.with_name("golden.npz"), golden.stem(artefact.path))
    if given is None:
        raise EdgeganError(f"{path}: no golden pairs beside it")
    inputs = {name: array[:1] for name, array in given.inputs.items()}
    with open_backend(artefact, backend, threads=int(threads)) as opened:
        opened.run(inputs)
        start_s = time.time() - float(os.environ["EDGEGAN_STARTED"])
        if way == "sustained":
            return sustain(lambda: opened.run(inputs), float(seconds))
        ms = {}
        for batch in BATCHES:
            if artefact.card.batch[0] <= batch <= artefact.card.batch[1]:
                many = {name: np.repeat(array, batch, axis=0) for name, array in inputs.items()}
                for _ in range(WARM):
                    opened.run(many)
                times, until = [], time.perf_counter() + float(seconds)
                while time.perf_counter() < until:
                    begun = time.perf_counter()
                    opened.run(many)
                    times.append(time.perf_counter() - begun)
                ms[str(batch)] = round(float(np.median(times)) * 1000 / batch, 3)
        return {"ms": ms, "start_s": round(start_s, 2), "memory_mb": resident_mb()}


def sustain(call: Callable[[], object], seconds: float) -> dict[str, Any]:
    """Pictures a second in each tenth of a long run, and the energy of a picture in joules."""
    before, rates = joules(), []
    for _ in range(SPANS):
        begun, calls = time.perf_counter(), 0
        while time.perf_counter() < begun + seconds / SPANS:
            call()
            calls += 1
        rates.append(round(calls / (time.perf_counter() - begun), 2))
    after = joules()
    used = None if before is None or after is None else (after - before) / (sum(rates) * seconds / SPANS)
    if used is not None and used < 0:  # the counter ran over
        used = None
    return {"seconds": seconds, "per_second": rates, "joules_a_picture": used}


def joules() -> float | None:
    """What the processor packages (RAPL) or the batteries have used so far; None where neither is told here."""
    try:
        packages = [p for p in RAPL.glob("intel-rapl:*") if p.name.count(":") == 1]
        if packages:
            return sum(int((p / "energy_uj").read_text()) for p in packages) / 1e6
        levels = [int((p / "energy_now").read_text()) for p in SUPPLIES.glob("BAT*") if (p / "energy_now").is_file()]
        return -sum(levels) * 3.6e-3 if levels else None  # microwatt hours
    except (OSError, ValueError):
        return None


def merge(row: dict[str, Any], turn: dict[str, Any]) -> None:
    """Takes a turn into a row: the least time of each batch, the least start, the least memory."""
    if "failed" in turn:
        row.setdefault("failed", turn["failed"])
        return
    known = row.setdefault("ms", {})
    known |= {batch: min(ms, known.get(batch, ms)) for batch, ms in turn["ms"].items()}
    for name in ("start_s", "memory_mb"):
        if turn[name] is not None:
            row[name] = min(turn[name], row.get(name, turn[name]))


def table(figures: dict[str, Any]) -> str:
    """All of it, in Markdown."""
    lines = ["| file | backend | threads | " + " | ".join(f"ms, batch {b}" for b in BATCHES) + " | start, s | MB |"]
    lines.append("|---|---|---:|" + "---:|" * (len(BATCHES) + 2))
    for row in figures["rows"]:
        times = [f"{row['ms'][str(b)]:.2f}" if str(b) in row.get("ms", {}) else "" for b in BATCHES]
        rest = [f"{row['start_s']:.2f}", f"{row['memory_mb']:.0f}"] if "ms" in row else [row["failed"], ""]
        lines.append("| " + " | ".join([row["file"], row["backend"], str(row["threads"]), *times, *rest]) + " |")
    file, backend, threads = figures["of"]
    lasting = figures["sustained"]
    if lasting is not None and "failed" in lasting:
        lines += ["", f"{file} in {backend} on {threads} threads stopped: {lasting['failed']}"]
    elif lasting is not None:
        rates, energy = lasting["per_second"], lasting["joules_a_picture"]
        used = "neither RAPL nor a battery tells the energy here" if energy is None else f"{energy:.3f} J a picture"
        lines += [
            "",
            f"{file} in {backend} on {threads} threads for {lasting['seconds']:.0f} s: {rates[0]:.1f} pictures/s in "
            f"the first tenth, {rates[-1]:.1f} in the last; {used}.",
        ]
    machine = figures["machine"]
    lines += [
        "",
        f"{machine['cpu']}, {machine['cores']} cores ({' '.join(machine['flags'])}); a picture's time in each.",
    ]
    if figures["busy"]:
        lines += ["", "The machine was busy: these figures are not for publication."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
