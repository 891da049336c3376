"""`edgegan eval`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ._shared import options

EPILOG = """
What is measured follows from the model: editors by attribute are scored against the true answers of drawn faces, or, on
a set of photographed faces, by a judge that training never met; other translators against held-out pairs or pictures of
both domains, generators against held-out and training pictures. A run, a checkpoint, an ONNX file and an engine are
scored alike, so a quantised model's quality is one command.

**Examples**

`edgegan eval runs/stargan --sheet edits.png`

`edgegan eval runs/portraits --data faces:data/portraits --sheet edits.png`

`edgegan eval runs/stargan/export/model.fp16.onnx --json eval.json`

`edgegan eval runs/cyclegan --data unaligned:photos --sheet both-ways.png`

`edgegan eval runs/cyclegan/export/AtoB/model.fp16.engine --backend tensorrt`

`edgegan eval runs/fastgan --count 1000 --inception weights-inception-2015-12-05-6726825d.pth`
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("eval", epilog=EPILOG)(evaluate)


def evaluate(
    model: Annotated[
        Path, typer.Argument(help="A run folder, a checkpoint, an exported model, or a shipped one's name.")
    ],
    data: Annotated[str, typer.Option(help="Pictures to score on; else those the model was trained on.")] = "",
    count: Annotated[
        int, typer.Option("--count", "--faces", min=1, help="Held-out pictures, and pictures generated, at most.")
    ] = 256,
    seed: Annotated[int, typer.Option(min=0, help="Of the latents, and of every random choice of a measure.")] = 0,
    backend: options.ExportedBackend = "auto",
    inception: Annotated[
        Path | None, typer.Option(help="Inception weights: measure FID and KID too (torch-fidelity's file).")
    ] = None,
    json_: Annotated[Path | None, typer.Option("--json", help="Write all figures here.")] = None,
    sheet: Annotated[Path | None, typer.Option(help="Write a contact sheet (PNG) here.")] = None,
) -> None:
    """Score a model on held-out pictures: edits, translations or samples."""
    import json

    from rich.console import Console

    from edgegan.data._files.places import places
    from edgegan.eval import Request, measure, open_subjects
    from edgegan.runtime.files import write_atomic
    from edgegan.runtime.places import model_parts

    from ._shared.outputs import check_outputs

    reads = model_parts(model) | ({str(inception): "the Inception weights"} if inception else {})
    check_outputs(reads, json_, pictures={"--sheet": sheet}, folders=places(data))
    with open_subjects(model, backend) as subjects:
        report = measure(subjects, Request(data=data, count=count, inception=inception, seed=seed))
        if sheet is not None:
            report.sheet().save(sheet)
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)  # a log has no edge
    for table in report.tables:
        console.print(_rich(table))
    for note in report.notes:
        console.print(note, markup=False, highlight=False, soft_wrap=True)
    if json_ is not None:
        write_atomic(json_, json.dumps(report.figures, indent=2).encode() + b"\n")


def _rich(table: Any) -> Any:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    drawn = Table(title=table.title, box=SIMPLE_HEAD)
    for i, heading in enumerate(table.columns):
        drawn.add_column(heading, justify="left" if i in table.left else "right")
    for row in table.rows:
        drawn.add_row(*row)
    return drawn
