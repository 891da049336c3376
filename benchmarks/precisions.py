"""Families x precisions x backends, in one table: latency, speed-up over eager, PSNR and size.

    python benchmarks/precisions.py --out benchmarks/results/precisions
    python benchmarks/precisions.py --only stargan-128 --work runs/precisions

Each family's generator at its published width gets weights that are not random (`supervised.py`), is exported in
every precision and format, verified, and measured by `edgegan bench`: eager and everything else take turns in one
run. Training and exporting take most of the time; what lies in --work is used again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from supervised import LABEL, SUBJECTS, Subject, train
from written import write

from edgegan.bench.report import Report, Result
from edgegan.bench.session import Request, run_benchmark
from edgegan.export import Request as ExportRequest
from edgegan.export import export_run
from edgegan.runtime.errors import EdgeganError
from edgegan.train.folder.run import Run

PRECISIONS, FORMATS = ("fp32", "fp16", "int8"), ("onnx", "openvino", "engine")


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One family's measurements; sizes of the artefacts in bytes, by file name."""

    subject: str
    family: str
    weights: str
    min_psnr_db: float
    sizes: dict[str, int]
    layers_in_float: dict[str, str]  # what the INT8 search left, by file name
    report: Report


def main() -> None:
    """Trains, exports and measures; prints the table and writes it with the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [s.name for s in SUBJECTS]
    parser.add_argument("--only", action="append", choices=names, help="default: all")
    parser.add_argument(
        "--work", type=Path, default=Path("runs/precisions"), help="runs and exports (default %(default)s)"
    )
    parser.add_argument("--pictures", type=int, default=8, help="held-out pictures to verify on (default %(default)s)")
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="of counted calls for each row (default %(default)s)"
    )
    parser.add_argument(
        "--no-bench", action="store_true", help="only train and export: measure later, on a quiet machine"
    )
    parser.add_argument("--out", type=Path, help="writes OUT.json and OUT.md")
    options = parser.parse_args()
    rows = []
    try:
        for subject in (s for s in SUBJECTS if not options.only or s.name in options.only):
            run = train(subject, options.work / subject.name, _progress_printer(subject))
            _export(subject, run, options.pictures)
            if not options.no_bench:
                rows.append(_measure(subject, run, options.seconds, options.pictures))
                print(table(rows[-1:]))
    except EdgeganError as error:
        print(f"precisions: {error}", file=sys.stderr)
        sys.exit(2)
    if rows and options.out:
        rows = _with_earlier(rows, options.out.with_suffix(".json"))
        write(options.out, rows, table(rows))


def _with_earlier(rows: Sequence[Row], path: Path) -> list[Row]:
    """The rows with those of other subjects that were measured before, in the order of SUBJECTS."""
    earlier = msgspec.json.decode(path.read_bytes(), type=list[Row]) if path.is_file() else []
    found = {row.subject: row for row in [*earlier, *rows]}
    return [found[s.name] for s in SUBJECTS if s.name in found]


def _export(subject: Subject, run: Run, pictures: int) -> None:
    """Exports what is not there yet."""
    if list(run.export_folder.glob("**/model.int8.onnx")):
        return
    request = ExportRequest(
        run.folder, precisions=PRECISIONS, formats=FORMATS, trt=True, pictures=pictures, min_psnr_db=subject.min_psnr_db
    )
    told: set[str] = set()

    def tell(what: str, done: int, total: int) -> None:
        if what not in told:
            print(f"{subject.name}: {what}", file=sys.stderr, flush=True)
            told.add(what)

    export_run(request, tell)


def _count_kept(folder: Path) -> dict[str, str]:
    """Of each INT8 file that could not be wholly INT8, how many of its layers are not."""
    report = folder / "model.int8.md"
    found = {}
    for part in report.read_text("utf-8").split("## ")[1:] if report.is_file() else []:
        rows = [line for line in part.splitlines() if line.startswith("|")][2:]
        if rows:
            kept = sum(row.endswith(" float |") for row in rows)
            found[part.splitlines()[0]] = f"{kept} of {len(rows)} layers in float"
    return found


def _measure(subject: Subject, run: Run, seconds: float, pictures: int) -> Row:
    folders = [p.parent for p in sorted(run.export_folder.glob("**/model.onnx"))]
    target = run.folder if folders[0] == run.export_folder else folders[0]  # one direction speaks for both
    report = run_benchmark(Request(path=target, seconds=seconds, pictures=pictures, starts=1))
    sizes = {p.name: p.stat().st_size for p in folders[0].iterdir() if p.name.startswith("model.") and p.is_file()}
    return Row(
        subject=subject.name,
        family=subject.family,
        weights=(run.folder / "README.md").read_text("utf-8").strip(),
        min_psnr_db=subject.min_psnr_db,
        sizes=sizes,
        layers_in_float=_count_kept(folders[0]),
        report=report,
    )


def table(rows: Sequence[Row]) -> str:
    """The table as Markdown, with what belongs under it."""
    machine = rows[0].report.machine
    lines = [
        "| model | backend, precision | file | MB | p50 ms | p95 ms | speed-up | PSNR dB mean | worst | MiB |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        lines += ["| " + " | ".join((row.subject, *_cells(row, result))) + " |" for result in row.report.results]
    lines += [
        "",
        f"{machine.cpu}, {rows[0].report.protocol.threads} threads, batch 1, {rows[0].report.date}. Speed-up: over "
        "PyTorch eager fp32, the median of the ratios within a round. PSNR: against eager, on held-out pictures.",
        f"Weights: {LABEL}.",
    ]
    for row in rows:
        kept = "; ".join(f"{name}: {words}" for name, words in row.layers_in_float.items()) or "no layer stays in float"
        lines += [
            f"- {row.subject}: {row.weights}. INT8 had to reach {row.min_psnr_db:g} dB on the worst picture: {kept}"
        ]
        lines += [f"- {row.subject}: {line}" for line in row.report.why_absent()]
        lines += [f"- {row.subject}: beware: {notice}" for notice in row.report.notices]
    return "\n".join(lines) + "\n"


def _cells(row: Row, result: Result) -> tuple[str, ...]:
    stem = result.file.removesuffix(".xml")
    size = sum(n for name, n in row.sizes.items() if name == result.file or name == f"{stem}.bin")
    close = result.fidelity
    return (
        result.title,
        result.file or "-",
        f"{size / 1e6:.1f}" if size else "-",
        f"{result.latency_ms.p50:.1f}",
        f"{result.latency_ms.p95:.1f}",
        f"{result.speedup.median:.2f}x",
        *((f"{close.psnr_mean_db:.1f}", f"{close.psnr_worst_db:.1f}") if close else ("reference", "")),
        f"{result.peak_memory_mib:.0f}",
    )


def _progress_printer(subject: Subject):  # noqa: ANN202 - a callback
    def tell(done: int, loss: float) -> None:
        if done % 25 == 0 or done == subject.steps:
            print(f"{subject.name}: step {done} of {subject.steps}, L1 {loss:.3f}", file=sys.stderr, flush=True)

    return tell


if __name__ == "__main__":
    main()
