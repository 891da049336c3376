"""`edgegan sample`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._shared import options

EPILOG = """
**Examples**

`edgegan sample runs/fastgan` — sixteen pictures and their grid, from the newest weights

`edgegan sample runs/fastgan/export/model.fp16.onnx --count 64 --seed 7 --out night`

`edgegan sample runs/cgan --set Smiling=1 --set Eyeglasses=1` — a conditional generator: the rest is drawn

`edgegan sample runs/fastgan --video --seconds 20 --mix 5 --force` — and a film, and a style grid
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog=EPILOG)(sample)


def sample(
    model: Annotated[
        Path, typer.Argument(metavar="RUN|MODEL", help="A run folder, a checkpoint, or an exported model.")
    ],
    count: Annotated[int, typer.Option(min=1, help="So many pictures, each in a file of its own.")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="Picture i of a seed is the same at every count.")] = 0,
    out: Annotated[Path, typer.Option(help="The folder to write; it must be empty or not yet there.")] = Path(
        "samples"
    ),
    truncate: Annotated[
        float | None, typer.Option(help="Latents no farther from 0 than this, such as 1: less varied, more typical.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="What a conditional generator is to draw: 1 is on, 0 off."),
    ] = None,
    video: Annotated[bool, typer.Option("--video", help="Also walk.mp4: from picture to picture, in a loop.")] = False,
    seconds: Annotated[float, typer.Option(min=0.5, max=3600, help="How long the film is.")] = 12.0,
    fps: Annotated[float, typer.Option(min=1, max=240, help="The film's frames per second.")] = 30.0,
    linear: Annotated[bool, typer.Option("--linear", help="Straight between pictures, not on the sphere.")] = False,
    mix: Annotated[int, typer.Option(min=0, max=32, help="Also mix.png: so many pictures in as many styles.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace what an earlier call left in the folder.")] = False,
    backend: options.ExportedBackend = "auto",
    device: options.ExportedDevice = "auto",
) -> None:
    """Draw pictures from a generator: single files, a grid, a film from picture to picture, and style mixing."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from edgegan.cli._shared.options import setting
    from edgegan.sampling import Request
    from edgegan.sampling import sample as draw

    request = Request(
        source=model,
        out=out,
        count=count,
        seed=seed,
        truncate=truncate,
        changes=dict(setting(each) for each in settings or ()),
        video=video,
        seconds=seconds,
        fps=fps,
        way="linear" if linear else "spherical",
        mix=mix,
        force=force,
        backend=backend,
        device=device,
    )
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("opening")

        def tell(what: str, done: int, total: int) -> None:
            if bar.tasks[0].description != what:
                bar.reset(task, description=what, total=total)
            bar.update(task, completed=done, total=total)

        done = draw(request, tell)
    print(f"model:   {done.what}")
    for notice in done.notices:
        print(f"note:    {notice}")
    print(f"written: {out / 'picture_*.png'} ({done.pictures} of seed {seed})")
    for file in done.files:
        print(f"written: {file}")
