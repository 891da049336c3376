"""`edgegan adopt`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._shared.options import split_words

if TYPE_CHECKING:
    from edgegan.export.adopt.adopt import Adopted
    from edgegan.export.adopt.request import Adoption
    from edgegan.runtime.model.card import Alignment

EPILOG = """
**Examples**

`edgegan adopt style.onnx --range -1,1 --colour rgb --size 256 --out models/style`

`edgegan adopt age.onnx --range 0,1 --colour rgb --condition one_hot:Young,Old --out age`
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog=EPILOG)(adopt)


def adopt(
    model: Annotated[Path, typer.Argument(help="An ONNX file: a picture in (and a label vector), a picture out.")],
    out: Annotated[Path, typer.Option(help="The folder to write; it must not exist.")],
    value_range: Annotated[
        str | None, typer.Option("--range", metavar="LOW,HIGH", help="Values of black and white: -1,1, 0,1 or 0,255.")
    ] = None,
    output_range: Annotated[
        str | None, typer.Option(metavar="LOW,HIGH", help="Of what comes out, if another. Default: --range.")
    ] = None,
    colour: Annotated[str | None, typer.Option(help="Order of the channels: rgb or bgr.")] = None,
    layout: Annotated[str | None, typer.Option(help="NCHW or NHWC, if the file does not tell.")] = None,
    size: Annotated[
        str | None, typer.Option(metavar="HxW", help="The size it was trained at, if the file leaves it open.")
    ] = None,
    multiple: Annotated[
        int | None, typer.Option(min=1, help="Sides must be multiples of this. Default: tried out.")
    ] = None,
    condition: Annotated[
        str | None,
        typer.Option(help="What the label means: binary:A,B|C (one of B and C is on) or one_hot:A,B."),
    ] = None,
    default: Annotated[
        list[str] | None, typer.Option(metavar="A,B", help="Names that are on where nothing is known of a picture.")
    ] = None,
    faces: Annotated[bool, typer.Option("--faces", help="It edits faces, not whole frames: --alignment too.")] = False,
    alignment: Annotated[
        str | None,
        typer.Option(
            metavar="LX,LY,RX,RY[,MARGIN]",
            help="Where both eyes lie in its pictures, as fractions of width and height; MARGIN fades out the edges.",
        ),
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option(help="A picture or folder to prove it on. Default: drawn faces.")
    ] = None,
    name: Annotated[str, typer.Option(help="Default: the file's name.")] = "",
    domain: Annotated[str, typer.Option(help="What it was trained on, in words.")] = "",
    licence: Annotated[str, typer.Option(help="Of the weights.")] = "",
) -> None:
    """Make any ONNX image-to-image model one for `live`, `bench`, `verify`, `info` and the Editor. Needs no torch.

    The file is probed; what it cannot tell is asked for on a terminal. It runs on every backend here, and each is
    compared with ONNX Runtime. Ends with exit code 2, and writes nothing, if the model cannot be used.
    """
    from rich.console import Console

    from edgegan.export.adopt.adopt import adopt
    from edgegan.export.adopt.request import Adoption, parse_span
    from edgegan.export.request import parse_size
    from edgegan.runtime.errors import InputError

    from ._shared.progress import show_progress

    if faces and alignment is None:
        raise InputError(
            "--faces was given without --alignment",
            "where the eyes lie in the model's pictures, as fractions: LX,LY,RX,RY",
            "CelebA's centre crop, for one: --alignment 0.39,0.52,0.61,0.52",
        )
    for option, given, known in (("colour", colour, ("rgb", "bgr")), ("layout", layout, ("NCHW", "NHWC"))):
        if given not in (None, *known):
            raise InputError(f"--{option} {given}: not known", f"there are: {', '.join(known)}")
    asked = Adoption(
        model=model,
        out=out,
        value_range=None if value_range is None else parse_span(value_range),
        output_range=None if output_range is None else parse_span(output_range),
        colour=colour,  # type: ignore[arg-type]
        layout=layout,  # type: ignore[arg-type]
        size_hw=None if size is None else parse_size(size),
        multiple=multiple,
        condition=condition,
        default=split_words(default),
        alignment=None if alignment is None else _alignment(alignment),
        pictures=pictures,
        name=name,
        domain=domain,
        licence=licence,
    )
    if sys.stdin.isatty() and sys.stderr.isatty():
        asked = _ask(asked)
    with show_progress(Console(stderr=True)) as tell:
        done = adopt(asked, lambda backend, pair, total: tell(f"measuring {backend}", pair, total))
    _show(done)


def _ask(asked: Adoption) -> Adoption:
    """What is missing, from the person at the terminal, until an answer can be read."""
    from edgegan.export.adopt.inspect import Probe
    from edgegan.export.adopt.request import answer, questions
    from edgegan.runtime.errors import InputError

    while True:
        with Probe(asked.model, asked.layout) as probe:
            missing = questions(probe, asked)
        if not missing:
            return asked
        first = missing[0]
        words = typer.prompt(f"{first.why[:1].upper()}{first.why[1:]} ({first.answers})", err=True)
        try:
            told = answer(asked, first, words)
            with Probe(told.model, told.layout):  # a layout that cannot be is asked for again
                asked = told
        except InputError as error:
            print(error, file=sys.stderr)


def _alignment(words: str) -> Alignment:
    from msgspec.structs import replace

    from edgegan.runtime.errors import InputError
    from edgegan.runtime.model.card import Alignment

    try:
        values = [float(word) for word in words.split(",")]
    except ValueError:
        values = []
    if len(values) not in (4, 5) or not all(0.0 <= value <= 1.0 for value in values):
        raise InputError(f"--alignment {words}: not two eyes", "LX,LY,RX,RY[,MARGIN], each from 0 to 1")
    found = Alignment(left_eye=(values[0], values[1]), right_eye=(values[2], values[3]))
    return replace(found, margin=values[4]) if len(values) == 5 else found


def _show(done: Adopted) -> None:
    from edgegan.runtime.commands import command

    for backend, found in done.card.verification.items():
        words = found.status.replace("_", " ")
        if found.psnr_worst_db is not None:
            words += f", worst picture {found.psnr_worst_db:.1f} dB"
        if found.latency_ms is not None:
            words += f", {found.latency_ms:.1f} ms"
        print(f"{backend}: {words}" + (f" ({found.reason})" if found.status == "not_run" else ""))
    for note in done.notes:
        print(f"note: {note}")
    print(f"wrote {done.path.parent}")
    print(f"next: {command('live', done.path.parent, '--source', 'synthetic')}")
