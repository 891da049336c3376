"""`edgegan publish`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EPILOG = """
**Example**

`edgegan publish runs/stargan --out models/stargan` — then: edgegan export models/stargan
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog=EPILOG)(publish)


def publish(
    source: Annotated[Path, typer.Argument(metavar="RUN|CHECKPOINT", help="A run folder, or one checkpoint of it.")],
    out: Annotated[Path, typer.Option(help="The folder to write: a small run folder.")],
) -> None:
    """Write a small copy of a run to share: averaged weights in fp32, the rest in fp16, no training state."""
    from edgegan.runtime.commands import command
    from edgegan.train.run import publish_run

    path = publish_run(source, out)
    print(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")
    print(f"next: {command('export', out)}   (it cannot be resumed: the optimisers' state is left out)")
