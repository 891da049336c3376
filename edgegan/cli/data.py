"""`edgegan data`: training sets from photographs, and drawn ones that need no download."""

from __future__ import annotations

import shlex
from enum import Enum
from pathlib import Path

import typer

from edgegan.runtime.errors import InputError

from ._shared.options import split_words


class Layout(str, Enum):
    """How the pictures are laid out on disk."""

    celeba = "celeba"
    folders = "folders"


def register(app: typer.Typer) -> None:
    """Adds the command group."""
    data = typer.Typer(no_args_is_help=True, help="Make training sets: of your photographs, or drawn ones.")
    data.command(epilog=_FACES_EXAMPLES)(faces)
    data.command(epilog=_LABEL_EXAMPLES)(label)
    data.command()(avatars)
    data.command()(seasons)
    app.add_typer(data, name="data")


_FACES_EXAMPLES = """Examples:

edgegan data faces ~/Pictures/team --out data/team                           # without labels yet

edgegan data faces photos --labels labels.csv --out data/photos              # file,Eyeglasses,... with 1 and 0

edgegan data faces portraits/images --labels portraits --out data/portraits  # the set of the shipped model
"""


def faces(
    photographs: Path = typer.Argument(..., metavar="DIR", help="A folder of photographs; folders below it count too."),
    out: Path = typer.Option(..., "--out", help="The folder to write; it must be empty or not yet there."),
    labels: str = typer.Option(
        "", "--labels", help="A CSV file (file,Attribute,...; Kaggle's CelebA files too), or `portraits`: ours."
    ),
    size: int = typer.Option(128, min=32, max=1024, help="Edge length of a training crop, in pixels."),
    alignment: str = typer.Option(
        "portrait", help="Where the eyes lie: portrait (room for all hair), celeba, close, or LX,LY,RX,RY."
    ),
) -> None:
    """Makes a training set of photographs: finds and aligns faces as live editing does, and cuts out people and hair.

    Small, blurred, turned and crowded faces are refused, each with its reason; pictures that show the same stay on one
    side of the split; sheet.png shows what was made of it.
    """
    from edgegan.data._faces.alignment import find_alignment
    from edgegan.data._faces.folder import write_faces

    _check_name(out)
    written = write_faces(photographs, out, labels=labels, size=size, alignment=find_alignment(alignment))
    splits = ", ".join(f"{count} {split}" for split, count in sorted(written.splits.items(), key=lambda s: -s[1]))
    print(f"{out}: {splits}; {written.masks} with the person cut out, {written.hair} of them with hair")
    if written.duplicates:
        print(f"pictures that show what another one shows, kept on its side of the split: {written.duplicates}")
    if written.refused:
        reasons = ", ".join(f"{reason}: {count}" for reason, count in written.refused.items())
        print(f"refused {sum(written.refused.values())} ({reasons}); each is named in {out / 'refused.csv'}")
    if written.missing or written.unlabelled:
        print(f"labels without a photograph: {written.missing}; photographs without labels: {written.unlabelled}")
    print(f"look at it: {out / 'sheet.png'}")
    print(f"train on it with: --data {shlex.quote(f'faces:{out}')}")


_LABEL_EXAMPLES = """Examples:

edgegan data label data/team --attributes Eyeglasses,Smiling

edgegan data label data/team --attributes Black_Hair,Blond_Hair,Brown_Hair,Gray_Hair
"""


def label(
    folder: Path = typer.Argument(..., metavar="DIR", help="A set that `edgegan data faces` wrote."),
    attributes: list[str] = typer.Option(
        [], metavar="A,B,...", help="What to label; new names become columns. Without it, what the set has."
    ),
    port: int = typer.Option(8090, min=0, max=65535, help="Of the page, on this machine alone; 0 takes any."),
    browser: bool = typer.Option(True, help="Open the page in a browser."),
) -> None:
    """Labels faces by hand, on a page with keys; each answer is saved to labels.csv at once."""
    import webbrowser

    from edgegan.data._faces.label_server import serve
    from edgegan.data._faces.labelling import Labelling

    labelling = Labelling(folder, [*split_words(attributes)])

    def announce(url: str) -> None:
        print(f"label at {url} - Ctrl-C ends it; nothing is lost", flush=True)
        if browser:
            webbrowser.open(url)

    serve(labelling, port, announce)
    left = sum(None in row for row in labelling.overview().values)
    print(f"{folder}: {left} pictures have unknown answers left" if left else f"{folder}: every picture is labelled")


def avatars(
    out: Path = typer.Option(..., "--out", help="The folder to write; it must be empty or not yet there."),
    count: int = typer.Option(3000, min=1, max=1_000_000, help="Training faces."),
    heldout: int = typer.Option(256, min=1, max=1_000_000, help="Held-out faces, of seeds that training never sees."),
    size: int = typer.Option(128, min=16, max=2048, help="Edge length of the pictures, in pixels."),
    layout: Layout = typer.Option(Layout.celeba, help="A CelebA folder, or a folder per domain (hair colour, hat)."),
) -> None:
    """Draws labelled faces, and the true answer to every single edit of each held-out face."""
    from edgegan.data._written.avatar_folder import write_avatars

    _check_name(out)
    written = write_avatars(out, count=count, heldout=heldout, size=size, layout=layout.value)
    print(f"{out}: {written.train} training and {written.heldout} held-out faces, {written.truth} true edits")
    print(f"train on it with: --data {shlex.quote(f'{layout.value}:{out}')}")


def seasons(
    out: Path = typer.Option(..., "--out", help="The folder to write; it must be empty or not yet there."),
    count: int = typer.Option(3000, min=1, max=1_000_000, help="Training people in summer, and others in winter."),
    heldout: int = typer.Option(256, min=1, max=1_000_000, help="Held-out people, each of them in both seasons."),
    size: int = typer.Option(128, min=16, max=2048, help="Edge length of the pictures, in pixels."),
) -> None:
    """Draws people in summer and in winter, as the folders trainA, trainB, testA and testB."""
    from edgegan.data._written.seasons_folder import write_seasons

    _check_name(out)
    write_seasons(out, count=count, heldout=heldout, size=size)
    print(f"{out}: {count} people in summer and {count} others in winter, {heldout} held-out people in both")
    print(f"train on it with: --data {shlex.quote(f'unaligned:{out}')}")


def _check_name(out: Path) -> None:
    if out.name in ("", ".."):
        raise InputError(f"--out {out}: not a folder that can be made", todo="give it a name: --out avatars")
