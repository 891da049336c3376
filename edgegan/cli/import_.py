"""`edgegan import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ._shared.options import split_words

EPILOG = """
**Examples**

`edgegan import 200000-G.ckpt 200000-D.ckpt --out runs/celeba` — StarGAN's CelebA model, with the class head

`edgegan import 100000-G.ckpt --attributes Eyeglasses,Smiling --size 256 --out runs/mine` — other attributes

`edgegan import netG_100000_steps.pth --bn keep --domain "bedrooms" --out runs/bedrooms` — a generator of mimicry's

`edgegan import latest_net_G.pth --domain "photographs of horses" --out runs/horse2zebra`
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("import", epilog=EPILOG)(import_)


def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Checkpoint files of one model.")],
    out: Annotated[Path, typer.Option(help="The run folder to make.")],
    family: Annotated[str, typer.Option(help="Whose checkpoint it is; default: told by its layout.")] = "",
    size: Annotated[
        int | None, typer.Option(min=1, help="Picture size; default: told by the shapes, else usual.")
    ] = None,
    attributes: Annotated[
        list[str] | None,
        typer.Option(metavar="A,B,...", help="What the labels or classes mean, in order (StarGAN, cGAN)."),
    ] = None,
    bn: Annotated[
        Literal["keep", "recalibrate"],
        typer.Option(help="Batch-norm statistics of generators: the file's own, or measured again on its weights."),
    ] = "recalibrate",
    padding: Annotated[
        Literal["reflect", "replicate", "zero", ""],
        typer.Option(help="Padding of residual blocks, where the layers' names cannot tell (CycleGAN, pix2pix)."),
    ] = "",
    norm: Annotated[
        Literal["instance", "instance-affine", "batch", ""],
        typer.Option(help="What the norms are, where the file cannot tell (CycleGAN, pix2pix)."),
    ] = "",
    domain: Annotated[str, typer.Option(metavar="TEXT", help="What pictures the model knows, in words.")] = "",
) -> None:
    """Make a run from an official checkpoint of a paper: then export, eval, bench and live work on it."""
    from edgegan.families import ImportOptions
    from edgegan.official import import_files
    from edgegan.runtime.commands import command

    options = ImportOptions(
        size=size, attributes=split_words(attributes), bn=bn, domain=domain, padding=padding, norm=norm
    )
    report = import_files(files, out, options, family)
    print(f"{report.run.family_name}: {', '.join(report.networks)}")
    for note in report.notes:
        print(f"  {note}")
    for name, digest in report.sha256.items():
        print(f"sha256 {digest}  {name}")
    print(f"written: {out}")
    print(f"next: {command('export', out)}   then: {command('live', out)}   or: {command('bench', out)}")
