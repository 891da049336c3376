"""`edgegan demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EPILOG = """
**Example**

`edgegan demo --out demo` — about six minutes on two cores; then open demo/report.html
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog=EPILOG)(demo)


def demo(
    out: Annotated[Path, typer.Option(help="The folder to write; an earlier demo there is replaced.")] = Path("demo"),
    model: Annotated[Path, typer.Option(help="The run folder of the model to show.")] = Path(
        "models/avatars-student-128"
    ),
    minutes: Annotated[float, typer.Option(min=0.05, help="How long to train.")] = 1.5,
) -> None:
    """Train briefly, export, score, benchmark and edit live; leaves a report with pictures and video."""
    from rich.console import Console

    from edgegan.demo import Demo

    Demo(out, model, minutes, Console()).run()
