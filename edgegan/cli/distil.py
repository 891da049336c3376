"""`edgegan distil`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._shared import options

EPILOG = """
**Examples**

`edgegan distil runs/stargan --budget 4x --minutes 30` — a student four times as fast as its teacher

`edgegan distil models/portraits-128 --data faces:data/portraits --budget 5ms --out runs/small`

`edgegan distil runs/stargan --budget 10x --dry-run` — time the candidates on this machine, train nothing

`edgegan distil runs/stargan --budget 4x --set depthwise=true --set distil.ssim=0.5` — fewer candidates; other weights

`edgegan distil runs/stargan-2 --from runs/student --out runs/student-2` — sooner, from a student of the same shape

`edgegan distil --out runs/student --resume` — go on where it stopped

A student is a run as any other: `edgegan export runs/student`, then `edgegan live runs/student`.
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog=EPILOG)(distil)


def distil(
    teacher: Annotated[Path | None, typer.Argument(help="The run folder or checkpoint to learn from.")] = None,
    out: Annotated[Path, typer.Option(help="The student's run folder.")] = Path("runs/student"),
    budget: Annotated[
        str, typer.Option(metavar="10x|5ms", help="How fast: a multiple of the teacher's speed here, or milliseconds.")
    ] = "4x",
    data: Annotated[str | None, typer.Option(help="Pictures to learn on; default the teacher's own.")] = None,
    images: options.Images = None,
    minutes: options.Minutes = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Fix a setting of the student, or a weight: distil.ssim=0.5."),
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="RUN", help="Begin with a student's generator: its run or a checkpoint of it."),
    ] = None,
    resume: options.Resume = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Time the candidates, print the table; stop.")] = False,
    device: options.TrainingDevice = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads, for timing and for PyTorch.")] = None,
) -> None:
    """Train a smaller, faster generator that does what a trained one does: no discriminator, no labels needed."""
    from rich.console import Console

    from edgegan.distil.session import Request, make_student, resume_student, train_student

    from ._shared.progress import show_progress

    request = Request(
        teacher=teacher,
        folder=out,
        budget=budget,
        data=data,
        images=images,
        minutes=minutes,
        settings=tuple(set_ or ()),
        start_from=from_,
        resume=resume,
        dry_run=dry_run,
        device=device,
        threads=threads,
    )
    console = Console()
    with show_progress(Console(stderr=True)) as tell:
        run = resume_student(request, console, tell) if resume else make_student(request, console, tell)
    if run is not None:
        train_student(run, request, console)
