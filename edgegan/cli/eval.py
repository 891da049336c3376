"""`edgegan eval`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

EPILOG = """
**Examples**

`edgegan eval runs/stargan --sheet edits.png`

`edgegan eval runs/stargan/export/model.fp16.onnx --json eval.json`
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("eval", epilog=EPILOG)(evaluate)


def evaluate(
    model: Annotated[Path, typer.Argument(help="A run folder, a checkpoint, or an exported model.")],
    faces: Annotated[int, typer.Option(min=1, help="Held-out faces to edit.")] = 256,
    backend: Annotated[str, typer.Option(help="For exported models: auto, onnxruntime, openvino, tensorrt.")] = "auto",
    json_: Annotated[Path | None, typer.Option("--json", help="Write all figures here.")] = None,
    sheet: Annotated[Path | None, typer.Option(help="Write a contact sheet (PNG) here.")] = None,
) -> None:
    """Score every single edit of held-out drawn faces against its true answer."""
    import json

    from rich.console import Console

    from edgegan.data import avatars
    from edgegan.eval import counterfactual
    from edgegan.eval.judge import trained_judge
    from edgegan.eval.subject import open_subject
    from edgegan.runtime.files import write_atomic

    console = Console()
    with open_subject(model, backend) as subject:
        size, names = subject.card.size.hw[0], subject.card.condition.names
        pictures = avatars.AvatarPictures(faces, size=size, names=names, split="heldout")
        judge = trained_judge(size, names)
        figures: dict[str, Any] = {"model": subject.what, **counterfactual.score(subject.edit, pictures, judge)}
        if sheet is not None:
            counterfactual.sheet(subject.edit, pictures).save(sheet)
    _print(console, figures)
    if json_ is not None:
        write_atomic(json_, json.dumps(figures, indent=2).encode() + b"\n")


def _print(console: Any, figures: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table(title=f"{figures['model']}: {figures['edits']} edits of {figures['faces']} held-out faces")
    for column in ("attribute", "", "edits", "landed", "others kept", "inside dB", "(input)", "outside dB"):
        table.add_column(column, justify="left" if column in ("attribute", "") else "right")
    for row in [
        *figures["by_edit"],
        {"attribute": "all", "direction": "", "edits": figures["edits"], **figures["all"]},
    ]:
        table.add_row(
            row["attribute"],
            row["direction"],
            str(row["edits"]),
            f"{row['landed']:.1%}",
            f"{row['preserved']:.1%}",
            f"{row['psnr_inside_db']:.1f}",
            f"{row['input_psnr_inside_db']:.1f}",
            f"{row['psnr_outside_db']:.1f}",
        )
    console.print(table)
    accuracy = ", ".join(f"{key.split('/')[0]} {value:.1%}" for key, value in figures["judge_accuracy"].items())
    console.print(f"left out, hair hidden by a hat: {figures['left_out_hair_hidden']}; judge on real faces: {accuracy}")
