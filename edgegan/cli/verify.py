"""`edgegan verify`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from edgegan.runtime.artefact import Artefact
    from edgegan.runtime.card import Verification
    from edgegan.runtime.golden import Golden

EPILOG = """
**Examples**

`edgegan verify runs/stargan/export` — every backend that can load the model, against PyTorch's own answers

`edgegan verify model.fp16.onnx --backend openvino --worst worst.png`
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog=EPILOG)(verify)


def verify(
    model: Annotated[Path, typer.Argument(help="A model file, an export folder or a run folder.")],
    backend: Annotated[
        list[str] | None, typer.Option(help="onnxruntime, openvino or tensorrt; may be repeated. Default: all.")
    ] = None,
    worst: Annotated[Path | None, typer.Option(help="Write the worst picture and its error (PNG) here.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Check a model on this machine: names, shapes and types, then values against PyTorch's answers. Needs no torch.

    Ends with exit code 2 if a backend misses the card's tolerance, or if none could be checked.
    """
    import msgspec
    from rich.console import Console

    from edgegan.export.verify import verify_artefact
    from edgegan.runtime import artefact, golden

    found = artefact.load(model)
    figures = verify_artefact(found, backends=tuple(backend) if backend else None)
    pairs = golden.read(found.golden, golden.stem(found.path)) if found.golden else None
    assert pairs is not None  # verify_artefact has refused that
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(figures), indent=2).decode())
    else:
        _show(found, figures, Console())
    ran = [name for name, each in figures.items() if each.psnr_worst_db is not None]
    if worst is not None and ran:
        _draw(found, pairs, min(ran, key=lambda name: figures[name].psnr_worst_db or 0.0), worst)
    failed = [name for name, each in figures.items() if each.status == "failed"]
    for name in failed:
        if not as_json and figures[name].psnr_worst_db is not None:
            _blame(found, pairs, name)
    if failed or not ran:
        raise typer.Exit(2)


def _show(found: Artefact, figures: dict[str, Verification], console: Any) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for column in ("backend", "PSNR dB", "worst", "SSIM", "worst", "max abs", "mean abs", "ms", "status"):
        table.add_column(column, justify="left" if column in ("backend", "status") else "right", no_wrap=True)
    for name, each in figures.items():
        values = (each.psnr_mean_db, each.psnr_worst_db, each.ssim_mean, each.ssim_worst, each.max_abs, each.mean_abs)
        formats = ("{:.1f}", "{:.1f}", "{:.5f}", "{:.5f}", "{:.1e}", "{:.1e}")
        words = ["-" if value is None else form.format(value) for value, form in zip(values, formats, strict=True)]
        latency = "-" if each.latency_ms is None else f"{each.latency_ms:.1f}"
        table.add_row(name, *words, latency, each.status.replace("_", " "))
    pairs = max(each.pictures for each in figures.values())
    console.print(f"{found.path} ({found.card.precision}) on {pairs} golden pairs", highlight=False)
    console.print(table)
    for name, each in figures.items():
        if each.reason:
            console.print(f"{name}: {each.reason}", highlight=False, soft_wrap=True)


def _draw(found: Artefact, pairs: Golden, name: str, path: Path) -> None:
    from edgegan.export.verify import open_unchecked
    from edgegan.export.worst import worst_sheet
    from edgegan.runtime.errors import InputError

    with open_unchecked(name, found) as opened:
        sheet = worst_sheet(found, pairs, opened)
    if sheet is None:
        raise InputError(f"--worst {path}: {found.card.name} gives no picture")
    sheet.save(path, scale=max(1, 256 // found.card.size.hw[0]))


def _blame(found: Artefact, pairs: Golden, name: str) -> None:
    from edgegan.export.worst import first_bad_layer
    from edgegan.runtime.files import sha256

    wanted = found.card.parent_sha256 or found.card.payload_sha256
    beside = (path for path in sorted(found.path.parent.glob("*.onnx")) if sha256(path) == wanted)
    parent = next(beside, None)
    if found.path.suffix != ".onnx" or parent is None:
        return
    blame = first_bad_layer(found, parent, pairs, name)
    if blame is not None:
        print(
            f"{name}: layer by layer against {parent.name}, half of the final error is there from {blame.layer} "
            f"({blame.kind}) on: {blame.error:.1%} of the values' root mean square, {blame.final_error:.1%} at the end"
        )
