"""`edgegan data`: data sets that need no download."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

import typer

from edgegan.runtime.errors import InputError


class Layout(str, Enum):
    """How the pictures are laid out on disk."""

    celeba = "celeba"
    folders = "folders"


def register(app: typer.Typer) -> None:
    """Adds the command group."""
    data = typer.Typer(no_args_is_help=True, help="Write data sets that need no download.")
    data.command()(avatars)
    data.command()(seasons)
    app.add_typer(data, name="data")


def avatars(
    out: Path = typer.Option(..., "--out", help="The folder to write; it must be empty or not yet there."),
    count: int = typer.Option(3000, min=1, max=1_000_000, help="Training faces."),
    heldout: int = typer.Option(256, min=1, max=1_000_000, help="Held-out faces, of seeds that training never sees."),
    size: int = typer.Option(128, min=16, max=2048, help="Edge length of the pictures, in pixels."),
    layout: Layout = typer.Option(Layout.celeba, help="A CelebA folder, or a folder per domain (hair colour, hat)."),
) -> None:
    """Draws labelled faces, and the true answer to every single edit of each held-out face."""
    from edgegan.data._avatar_folder import write_avatars

    _check_name(out)
    written = write_avatars(out, count=count, heldout=heldout, size=size, layout=layout.value)
    print(f"{out}: {written.train} training and {written.heldout} held-out faces, {written.truth} true edits")
    print(f"train on it with: --data {layout.value}:{out}")


def seasons(
    out: Path = typer.Option(..., "--out", help="The folder to write; it must be empty or not yet there."),
    count: int = typer.Option(3000, min=1, max=1_000_000, help="Training people in summer, and others in winter."),
    heldout: int = typer.Option(256, min=1, max=1_000_000, help="Held-out people, each of them in both seasons."),
    size: int = typer.Option(128, min=16, max=2048, help="Edge length of the pictures, in pixels."),
) -> None:
    """Draws people in summer and in winter, as the folders trainA, trainB, testA and testB."""
    from edgegan.data._seasons_folder import write_seasons

    _check_name(out)
    write_seasons(out, count=count, heldout=heldout, size=size)
    print(f"{out}: {count} people in summer and {count} others in winter, {heldout} held-out people in both")
    print(f"train on it with: --data unaligned:{out}")


def _check_name(out: Path) -> None:
    if out.name in ("", ".."):
        raise InputError(f"--out {out}: not a folder that can be made", todo="give it a name: --out avatars")
