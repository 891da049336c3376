"""`edgegan verify`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._shared import rebuild as _rebuild

if TYPE_CHECKING:
    from edgegan.runtime.backends.device import Target
    from edgegan.runtime.model.artefact import Artefact
    from edgegan.runtime.model.golden import Golden
    from edgegan.runtime.model.verification import Verification

EPILOG = """
**Examples**

`edgegan verify runs/stargan/export` — every backend that can load the model, against PyTorch's own answers

`edgegan verify model.fp16.onnx --backend openvino --worst worst.png`

`edgegan verify model.fp16.engine --write` — an engine from elsewhere, once, on the machine that runs it
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog=EPILOG)(verify)


def verify(
    model: Annotated[
        Path, typer.Argument(help="A model file, an export folder, a run folder or a shipped model's name.")
    ],
    backend: Annotated[
        list[str] | None,
        typer.Option(
            help="onnxruntime, onnxruntime-tensorrt, openvino, mnn, ncnn, litert, coreml or tensorrt; repeatable. "
            "Default: all."
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="cpu|cuda[:N]|gpu|npu",
            help="Where to run. Default: each backend's usual device, and CUDA too for onnxruntime if it is here.",
        ),
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Put the figures on the model's card.")] = False,
    rebuild: Annotated[str, _rebuild.OPTION] = "never",
    worst: Annotated[
        Path | None,
        typer.Option(help="Write the worst picture and its error (PNG) here; on a miss, MODEL.worst.png by itself."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Check a model on this machine: names, shapes and types, then values against PyTorch's answers. Needs no torch.

    Ends with exit code 2 if a backend misses the card's tolerance, or if none could be checked. With --write the card
    keeps what was found, so that a backend is neither checked again at every load nor taken where it missed.
    """
    import msgspec
    from rich.console import Console

    from edgegan.export.trt.rebuild import fitting
    from edgegan.export.verify.check import ends, verify_artefact, write_figures
    from edgegan.export.verify.diagnosis import diagnosis
    from edgegan.export.verify.targets import choose
    from edgegan.runtime.model import artefact, golden
    from edgegan.runtime.places import model_parts

    from ._shared.outputs import check_outputs
    from ._shared.progress import show_progress

    found = artefact.load(model)
    check_outputs(model_parts(model) | model_parts(found.path), pictures={"--worst": worst})
    chosen = choose(found, backend or (), device or "")
    pairs = golden.beside(found)
    corners = ends(found, pairs) if pairs is not None else None  # an engine that is built again lies elsewhere
    if _rebuild.choice(rebuild) == "auto":
        with show_progress(Console(stderr=True)) as tell:
            found = fitting(found, device=device or "cuda", on_progress=tell)
    figures = verify_artefact(found, pairs, backends=chosen, corners=corners)
    assert pairs is not None  # verify_artefact has refused that
    if write:
        found, entries = write_figures(found, figures)
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(figures), indent=2).decode())
    else:
        _show(found, figures, Console())
        if write:
            _tell_written(found, figures, entries)
    ran = [name for name, each in figures.items() if each.psnr_worst_db is not None]
    failed = [name for name, each in figures.items() if each.status == "failed"]
    wanted = worst
    if worst is None and not as_json and any(name in ran for name in failed):
        worst = Path(f"{found.path.name}.worst.png")
    if worst is not None and ran:
        name = min(ran, key=lambda name: figures[name].psnr_worst_db or 0.0)
        target = next(target for target in chosen if target.entry == name)
        drawn = _draw(found, pairs, target, worst, asked=wanted is not None)
        if drawn and not as_json:
            print(f"the worst picture, on {name}, and its error: {worst}")
    for name in failed:
        if not as_json and figures[name].psnr_worst_db is not None:
            for line in diagnosis(found, pairs, name, figures[name].tolerance):
                print(line)
    if failed or not ran:
        raise typer.Exit(2)


def _tell_written(found: Artefact, figures: dict[str, Verification], entries: tuple[str, ...]) -> None:
    from edgegan.runtime.model.card import sidecar

    if entries:
        print(f"on the card {sidecar(found.path)}: {', '.join(entries)}")
    kept = [name for name, each in figures.items() if each.status == "passed" and name not in entries]
    if kept:
        print(f"as they were: {', '.join(kept)}: the card has the figures of more pictures")


def _show(found: Artefact, figures: dict[str, Verification], console: Any) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for column in ("backend", "PSNR dB", "worst", "SSIM", "worst", "max abs", "mean abs", "ms", "status"):
        table.add_column(column, justify="left" if column in ("backend", "status") else "right", no_wrap=True)
    ran = {name: each for name, each in figures.items() if each.status != "not_run"}
    for name, each in ran.items():
        values = (each.psnr_mean_db, each.psnr_worst_db, each.ssim_mean, each.ssim_worst, each.max_abs, each.mean_abs)
        formats = ("{:.1f}", "{:.1f}", "{:.5f}", "{:.5f}", "{:.1e}", "{:.1e}")
        words = ["-" if value is None else form.format(value) for value, form in zip(values, formats, strict=True)]
        latency = "-" if each.latency_ms is None else f"{each.latency_ms:.1f}"
        table.add_row(name, *words, latency, each.status)
    pairs = max(each.pictures for each in figures.values())
    console.print(f"{found.path} ({found.card.precision}) on {pairs} golden pairs", highlight=False, soft_wrap=True)
    if ran:
        console.print(table)
    for name, each in figures.items():
        if each.reason:
            before = "" if name in ran else "not run: "
            console.print(f"{name}: {before}{each.reason}", highlight=False, soft_wrap=True)


def _draw(found: Artefact, pairs: Golden, target: Target, path: Path, *, asked: bool) -> bool:
    """Whether there is a picture to draw; raises InputError if there is none and one was asked for."""
    from edgegan.export.verify.targets import open_unchecked
    from edgegan.export.verify.worst_sample import worst_sheet
    from edgegan.runtime.errors import InputError

    with open_unchecked(target, found) as opened:
        sheet = worst_sheet(found, pairs, opened)
    if sheet is None:
        if asked:
            raise InputError(f"--worst {path}: {found.card.name} gives no picture")
        return False
    sheet.save(path, scale=max(1, 256 // found.card.size.hw[0]))
    return True
