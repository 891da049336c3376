"""`edgegan verify`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import _rebuild

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
        list[str] | None,
        typer.Option(help="onnxruntime, onnxruntime-tensorrt, openvino or tensorrt; repeatable. Default: all."),
    ] = None,
    rebuild: Annotated[str, _rebuild.OPTION] = "never",
    worst: Annotated[
        Path | None,
        typer.Option(help="Write the worst picture and its error (PNG) here; on a miss, MODEL.worst.png by itself."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Check a model on this machine: names, shapes and types, then values against PyTorch's answers. Needs no torch.

    Ends with exit code 2 if a backend misses the card's tolerance, or if none could be checked.
    """
    import msgspec
    from rich.console import Console

    from edgegan.export.rebuild import fitting
    from edgegan.export.verify import verify_artefact
    from edgegan.runtime import artefact, golden

    from ._progress import told

    found = artefact.load(model)
    pairs = golden.beside(found)
    if _rebuild.choice(rebuild) == "auto":
        with told(Console(stderr=True)) as tell:
            found = fitting(found, on_progress=tell)
    figures = verify_artefact(found, pairs, backends=tuple(backend) if backend else None)
    assert pairs is not None  # verify_artefact has refused that
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(figures), indent=2).decode())
    else:
        _show(found, figures, Console())
    ran = [name for name, each in figures.items() if each.psnr_worst_db is not None]
    failed = [name for name, each in figures.items() if each.status == "failed"]
    asked = worst
    if worst is None and not as_json and any(name in ran for name in failed):
        worst = Path(f"{found.path.name}.worst.png")
    if worst is not None and ran:
        name = min(ran, key=lambda name: figures[name].psnr_worst_db or 0.0)
        drawn = _draw(found, pairs, name, worst, asked=asked is not None)
        if drawn and not as_json:
            print(f"the worst picture, on {name}, and its error: {worst}")
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


def _draw(found: Artefact, pairs: Golden, name: str, path: Path, *, asked: bool) -> bool:
    """Whether there is a picture to draw; raises InputError if there is none and one was asked for."""
    from edgegan.export.verify import open_unchecked
    from edgegan.export.worst import worst_sheet
    from edgegan.runtime.errors import InputError

    with open_unchecked(name, found) as opened:
        sheet = worst_sheet(found, pairs, opened)
    if sheet is None:
        if asked:
            raise InputError(f"--worst {path}: {found.card.name} gives no picture")
        return False
    sheet.save(path, scale=max(1, 256 // found.card.size.hw[0]))
    return True


def _blame(found: Artefact, pairs: Golden, name: str) -> None:
    from edgegan.export.worst import first_bad_layer

    parent = _origin(found)
    if parent is None:
        return
    blame = first_bad_layer(found, parent, pairs, name)
    other = "ONNX's reference evaluator" if parent == found.path and name == "onnxruntime" else parent.name
    if blame is not None:
        print(f"{name}, layer by layer against {other}: {blame}")
    elif parent == found.path:
        print(f"{name} computes every layer as {other} does: the file itself is not the model that was exported")


def _origin(found: Artefact) -> Path | None:
    """The float32 ONNX file beside an artefact that it was made from: its parent, or its parent's; or itself."""
    from edgegan.runtime.card import ModelCard, sidecar
    from edgegan.runtime.files import sha256

    beside = {sha256(path): path for path in sorted(found.path.parent.glob("*.onnx"))}
    path, card = found.path, found.card
    while card.parent_sha256 is not None:
        parent = beside.pop(card.parent_sha256, None)
        if parent is None or not sidecar(parent).is_file():
            return parent
        path, card = parent, ModelCard.from_json(sidecar(parent).read_bytes(), where=str(parent))
    return path if path.suffix == ".onnx" else None
