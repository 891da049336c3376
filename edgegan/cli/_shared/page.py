"""`edgegan export --format web`: a page for browsers, of a model that was exported before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from edgegan.runtime.errors import InputError
from edgegan.runtime.shipped import default_model

from .options import split_words

if TYPE_CHECKING:
    from rich.console import Console

PAGE = "web"
_TAKES = ("source", "format_", "out", "onnxruntime_web")  # the options that a page has a use for


def offer_shipped(ctx: typer.Context, formats: list[str] | None) -> list[str] | None:
    """Returns the formats; for a page no model has to be named, since one comes with edgegan."""
    if split_words(formats) == (PAGE,):
        ctx.default_map = {**(ctx.default_map or {}), "source": str(default_model())}
    return formats


def check_options(ctx: typer.Context, formats: Sequence[str]) -> bool:
    """Returns whether a page is wanted; raises InputError for options that do not go together."""
    given = [p for p in ctx.command.params if p.name and _was_given(ctx, p.name)]
    if PAGE not in formats:
        for option in (p for p in given if p.name == "onnxruntime_web"):
            raise InputError(f"{option.opts[0]} is for pages", todo=f"add --format {PAGE}, or leave it out")
        return False
    if len(formats) > 1:
        raise InputError(f"--format {','.join(formats)}", f"{PAGE} alone: a page is made of what was exported before")
    useless = [p.opts[0] for p in given if p.name not in _TAKES]
    if useless:
        raise InputError(
            f"{useless[0]} with --format {PAGE}: a page is made of what was exported before, as it is",
            todo=f"export with {useless[0]} first, then make the page of that folder",
        )
    return True


def write_page(source: Path, out: Path | None, package: Path | None, console: Console) -> None:
    """Writes the page, and says how to look at it."""
    from edgegan.export.web import export_site

    with console.status("") as status:
        site = export_site(source, out or Path("site"), onnxruntime_web=package, tell=status.update)
    figures = ", ".join(f"{role} {db:.1f} dB" for role, db in site.psnr_db.items())
    console.print(
        f"{site.folder}: {site.size_bytes / 1e6:.1f} MB, with onnxruntime-web {site.runtime}", highlight=False
    )
    console.print(
        f"worst golden pair with weights as float16: {figures}; the browser checks again",
        soft_wrap=True,
        highlight=False,
    )
    for warning in site.warnings:
        console.print(f"beware: {warning}", style="yellow", highlight=False)
    look = f"python -m http.server --directory {site.folder} --bind 127.0.0.1 8000"
    console.print(f"next: {look}   and open http://127.0.0.1:8000", soft_wrap=True, highlight=False, markup=False)


def _was_given(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
