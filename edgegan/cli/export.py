"""`edgegan export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgegan.runtime.errors import InputError

from ._shared.options import split_words
from ._shared.page import check_options, offer_shipped, write_page

if TYPE_CHECKING:
    from rich.console import Console

    from edgegan.export import Exported

EPILOG = """
**Examples**

`edgegan export runs/stargan` — ONNX in fp32 and fp16, verified against PyTorch

`edgegan export runs/stargan --trt` — and a TensorRT FP16 engine, with or without a GPU here

`edgegan export runs/stargan --precision int8 --min-psnr 40` — for CPUs: several times faster in OpenVINO

`edgegan export runs/stargan --io uint8` — bytes in, bytes out: nothing left to compute around the model

`edgegan export runs/stargan/checkpoints/0000200000.safetensors --size 160x128 --out wide`

`edgegan export runs/stargan --format web --out site` — a page that edits in the browser, of what was exported before
"""

DYNAMIC = "dynamic"
ENGINES = "TensorRT engines"  # the heading of their options


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog=EPILOG)(export)


def export(
    ctx: typer.Context,
    source: Annotated[
        Path,
        typer.Argument(
            metavar="RUN|CHECKPOINT",
            help="A run folder, or one checkpoint of it. For a page: an export, or the name of a shipped model.",
        ),
    ],
    trt: Annotated[bool, typer.Option("--trt", help="Build a TensorRT FP16 engine as well.")] = False,
    precision: Annotated[
        list[str] | None, typer.Option(metavar="fp32,fp16,int8", help="Which precisions; default: fp32,fp16.")
    ] = None,
    format_: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="onnx,openvino,engine,mnn,ncnn,litert,coreml|web",
            help="Default: each precision's usual one. web: a page for browsers.",
            is_eager=True,
            callback=offer_shipped,
        ),
    ] = None,
    size: Annotated[str | None, typer.Option(metavar="HxW|S|dynamic", help="Default: the size trained at.")] = None,
    batch: Annotated[
        str | None, typer.Option(metavar="N|dynamic", help="Pictures a call, or left open; default: one.")
    ] = None,
    io: Annotated[
        str, typer.Option(metavar="float|uint8", help="uint8: pictures as bytes, (H, W, 3), with the scaling inside.")
    ] = "float",
    instance_norm: Annotated[
        str,
        typer.Option(metavar="plain|reductions", help="reductions: instance norms as plain arithmetic, to compare."),
    ] = "plain",
    calib: Annotated[
        str | None, typer.Option(metavar="SPEC", help="Pictures to calibrate INT8 on; default: the run's data.")
    ] = None,
    min_psnr: Annotated[
        float | None, typer.Option(help="dB that INT8 must reach on the worst picture; layers that cost too much stay.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The folder to write; default export/ in the run, or site/ for a page.")
    ] = None,
    data: Annotated[str | None, typer.Option(help="Held-out pictures to verify on; default: the run's data.")] = None,
    pictures: Annotated[int, typer.Option(min=1, help="So many held-out pictures, each with every edit.")] = 64,
    workspace: Annotated[
        int | None,
        typer.Option(min=1, metavar="MiB", help="GPU memory that layers may use for scratch.", rich_help_panel=ENGINES),
    ] = None,
    timing_cache: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|auto", help="Keep measured kernels for the next build (TensorRT).", rich_help_panel=ENGINES
        ),
    ] = None,
    hardware_compatibility: Annotated[
        str,
        typer.Option(
            metavar="none|ampere_plus|same_compute_capability",
            help="Which other GPUs may run it (TensorRT).",
            rich_help_panel=ENGINES,
        ),
    ] = "none",
    version_compatible: Annotated[
        bool,
        typer.Option(
            "--version-compatible",
            help="Newer versions may run it, somewhat slower (TensorRT).",
            rich_help_panel=ENGINES,
        ),
    ] = False,
    builder_optimization_level: Annotated[
        int | None,
        typer.Option(min=0, max=5, help="0 builds fastest, 5 tries most kernels (TensorRT).", rich_help_panel=ENGINES),
    ] = None,
    dla: Annotated[
        int | None,
        typer.Option(min=0, help="The DLA core of a Jetson that runs what it can (TensorRT).", rich_help_panel=ENGINES),
    ] = None,
    compute_capability: Annotated[
        list[str] | None,
        typer.Option(
            metavar="8.6,8.9,...",
            help="The kinds of GPU to build for (TensorRT for RTX); default: 8.0 to 12.1; 7.5 (Turing) alone.",
            rich_help_panel=ENGINES,
        ),
    ] = None,
    noise: Annotated[
        str | None, typer.Option(metavar="zero|frozen:SEED", help="What a generator's noise inputs are fixed to.")
    ] = None,
    onnxruntime_web: Annotated[
        Path | None,
        typer.Option(
            "--onnxruntime-web",
            metavar="DIR",
            help="Where the npm package lies; default: node_modules, here or above.",
            rich_help_panel="A page for browsers (--format web)",
        ),
    ] = None,
) -> None:
    """Export a trained model, verified against PyTorch, or refuse: nothing unverified is written."""
    from rich.console import Console

    console = Console()
    if check_options(ctx, split_words(format_)):
        return write_page(source, out, onnxruntime_web, console)
    from edgegan.export import EngineOptions, Request, export_run, parse_batch, parse_size
    from edgegan.runtime.places import model_parts

    from ._shared.outputs import check_outputs
    from ._shared.progress import show_progress

    if timing_cache not in (None, "auto"):
        check_outputs(model_parts(source), Path(timing_cache))
    settings = (f"noise={noise}",) if noise is not None else ()
    request = Request(
        source,
        out,
        trt,
        size_hw=parse_size(size) if size not in (None, DYNAMIC) else None,
        data=data,
        pictures=pictures,
        precisions=split_words(precision),
        formats=split_words(format_),
        batch=parse_batch(batch) if batch not in (None, DYNAMIC) else 1,
        open_batch=batch == DYNAMIC,
        open_size=size == DYNAMIC,
        as_bytes=_one_of("--io", io, ("float", "uint8")) == "uint8",
        instance_norm=_one_of("--instance-norm", instance_norm, ("plain", "reductions")),
        calibration=calib,
        min_psnr_db=min_psnr,
        engine=EngineOptions(
            workspace,
            timing_cache,
            hardware_compatibility,
            version_compatible,
            builder_optimization_level,
            dla,
            split_words(compute_capability),
        ),
        settings=settings,
    )
    with show_progress(console) as tell:
        exported = export_run(request, tell)
    _show(exported, source, console)


def _one_of(option: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise InputError(f"{option} {value}: not known", f"one of: {', '.join(known)}")
    return value


def _show(exported: Exported, source: Path, console: Console) -> None:
    from rich.table import Table

    from edgegan.runtime.commands import command
    from edgegan.runtime.model.artefact import load

    from ._shared.sources import usual_source

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("artefact", "MB", "precision", "backend", "PSNR dB (worst)", "max abs", "status"):
        right = name in ("MB", "PSNR dB (worst)", "max abs")
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    for row in exported.rows:
        found = row.verification
        table.add_row(
            row.path.relative_to(exported.folder).as_posix(),
            f"{row.size_bytes / 1e6:.1f}",
            row.precision,
            row.backend,
            "-" if found.psnr_worst_db is None else f"{found.psnr_mean_db:.1f} ({found.psnr_worst_db:.1f})",
            "-" if found.max_abs is None else f"{found.max_abs:.1e}",
            found.status,
        )
    console.print(table)
    for note in exported.notes:
        console.print(note, style="dim", highlight=False)
    for warning in exported.warnings:
        console.print(f"beware: {warning}", style="yellow", highlight=False)
    pairs = max((row.verification.pictures for row in exported.rows), default=0)
    written = f"verified on {pairs} held-out inputs against fp32 eager; written to {exported.folder}"
    console.print(written, soft_wrap=True, highlight=False, markup=False)
    model = exported.folder if (exported.folder / "model.onnx").is_file() else exported.main
    card = load(model).card
    look = ("sample", model) if card.task == "generate" else ("live", model, "--source", usual_source(card))
    shown = f"{command('bench', source)}   or: {command(*look)}"
    console.print(f"next: {shown}", soft_wrap=True, highlight=False, markup=False)
