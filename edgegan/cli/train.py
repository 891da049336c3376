"""`edgegan train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._shared import options

EPILOG = """
**Examples**

`edgegan train stargan --preset avatars-64 --minutes 5` — drawn faces, nothing to download

`edgegan train stargan --preset celeba-128 --data celeba:/data/celeba --out runs/celeba`

`edgegan train stargan --preset avatars-64 --set train.batch=8 --set conv_dim=16 --dry-run`

`edgegan train stargan --preset avatars-64 --print-config > my.toml` — a configuration file to begin from; then
`edgegan train stargan --preset my.toml`

`edgegan train stargan --preset portraits-128 --data faces:data/team --from portraits --out runs/team` — your own faces

`edgegan train stargan --out runs/celeba --resume` — go on where it stopped

`torchrun --nproc-per-node 2 -m edgegan train stargan --preset celeba-128 --data celeba:/data/celeba` — two GPUs, or
two processes; they share each batch (`train.batch` counts the pictures of all)
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog=EPILOG)(train)


def train(
    family: Annotated[str, typer.Argument(help="The GAN family, such as stargan.")],
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE.toml",
            help="A named configuration, or a file of your own; without it, names are listed, or --from's is taken.",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(help="avatars, celeba:DIR, folders:DIR, or a folder; NAME=SPEC,NAME=SPEC for several sets."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run folder; default runs/FAMILY.")] = None,
    images: options.Images = None,
    minutes: options.Minutes = None,
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one setting.")] = None,
    resume: options.Resume = False,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="RUN", help="Begin with the weights of a run, a checkpoint or a shipped model."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print config, parameters, MACs and memory; stop.")
    ] = False,
    print_config: Annotated[
        bool, typer.Option("--print-config", help="Print the configuration as a file to begin from; stop.")
    ] = False,
    device: options.TrainingDevice = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads for PyTorch.")] = None,
) -> None:
    """Train a GAN: a run folder with checkpoints, sample grids and metrics."""
    from edgegan import distributed
    from edgegan.train.session import Request, load_config, run_training

    request = Request(
        family=family,
        preset=preset,
        data=data,
        folder=out or Path("runs") / family,
        images=images,
        minutes=minutes,
        settings=tuple(set_ or ()),
        resume=resume,
        start_from=from_,
        dry_run=dry_run,
        device=device,
        threads=threads,
    )
    if print_config:
        from edgegan.config_file import write_config

        about = f"{family}, from {f'the preset {preset}' if preset else from_}" + (
            ", with other settings" if set_ else ""
        )
        print(write_config(load_config(request), family, about), end="")
        return
    try:
        run_training(request)
    except distributed.ReportedElsewhereError:
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        if distributed.rank() == 0:
            raise
        raise typer.Exit(130) from None
