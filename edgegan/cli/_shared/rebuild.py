"""The option `--rebuild`, which several commands have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from edgegan.runtime.errors import InputError

if TYPE_CHECKING:
    from edgegan.runtime.backends import Rebuild


def option(panel: str | None = None) -> Any:
    """The option, in a panel of a command's help."""
    return typer.Option(
        "--rebuild",
        metavar="auto|never",
        help="auto: an engine from another machine is built again for this one, into the cache.",
        rich_help_panel=panel,
    )


OPTION = option()


def choice(text: str) -> Rebuild:
    """What was given for `--rebuild`; raises InputError for anything else than auto or never."""
    if text == "auto":
        return "auto"
    if text == "never":
        return "never"
    raise InputError(f"--rebuild {text}: not known", "one of: auto, never")
