"""`edgegan tune`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._shared import options

if TYPE_CHECKING:
    from rich.table import Table

    from edgegan.runtime.backends.tuning.tuner import Tuning

EPILOG = """
**Examples**

`edgegan tune runs/stargan/export` — every file of the folder on every backend that is here

`edgegan tune model.onnx --threads 2 --seconds 2` — one file, more carefully
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog=EPILOG)(tune)


def tune(
    model: Annotated[
        Path | None,
        typer.Argument(
            help="A model file, an export folder (all its files take part), a run folder or a model that comes with "
            "edgegan. Default: the one for cameras."
        ),
    ] = None,
    device: options.TimedDevice = "auto",
    threads: options.TimedThreads = None,
    batch: Annotated[
        int | None, typer.Option(min=1, help="Pictures a call; default the fewest, which opening goes by.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.01, help="Seconds of calls for each pair, in turns.")] = 0.3,
    as_json: Annotated[bool, typer.Option("--json", help="Print the times as JSON.")] = False,
) -> None:
    """Measure which verified file and backend is the fastest on this machine, and remember it for every later open.

    `live`, `Editor` and all else that opens a model with `--backend auto` does this by itself when it first meets
    one. Measure again after a driver's update, or where the machine was busy the first time.
    """
    import msgspec
    from rich.console import Console

    from edgegan.runtime import backends
    from edgegan.runtime.files import cache_note
    from edgegan.runtime.model import artefact
    from edgegan.runtime.shipped import default_model

    from ._shared.progress import show_progress

    found = artefact.load(default_model() if model is None else model)
    with show_progress(Console(stderr=True)) as tell:
        tuning = backends.tune(found, device, threads, batch, seconds, tell)
    taken = tuning.fastest
    if as_json:
        print(
            msgspec.json.format(msgspec.json.encode({**msgspec.to_builtins(tuning), "taken": taken}), indent=2).decode()
        )
    else:
        console = Console()
        console.print(f"{found.card.name} on {tuning.processor}, {tuning.threads} threads, batch {tuning.batch}")
        console.print(_table(tuning))
        for each in tuning.timings:
            if each.ms is None:
                print(f"not {each.backend} on {each.device} ({each.file}): {each.why_not}")
        if taken is not None:
            when = "the fastest, this time alone" if cache_note() else "taken from now on"
            print(f"{when}: {taken.file} with {taken.backend} on {taken.device}")
    if taken is None:
        raise typer.Exit(2)


def _table(tuning: Tuning) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("file", "precision", "backend", "device", "ms", "proof"):
        table.add_column(column, justify="right" if column == "ms" else "left", no_wrap=True)
    ran = sorted((each for each in tuning.timings if each.ms is not None), key=lambda each: each.ms or 0.0)
    for each in ran:
        table.add_row(each.file, each.precision, each.backend, each.device, f"{each.ms:.2f}", each.proof)
    return table
