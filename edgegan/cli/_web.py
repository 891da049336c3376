"""The options of `edgegan live` for the page in a browser, and what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from edgegan.runtime.errors import InputError

if TYPE_CHECKING:
    from edgegan.runtime.stats import Stats
    from edgegan.runtime.web import Place, WebPage

    from ._show import Show

_PANEL = "In a browser"
_PORT = 8080

WEB = typer.Option("--web", help="Serve a page with the picture, the controls and the figures.", rich_help_panel=_PANEL)
HOST = typer.Option(
    help="The address to serve at (127.0.0.1: this machine alone); any other needs the token.", rich_help_panel=_PANEL
)
PORT = typer.Option(min=0, max=65535, help=f"Default: {_PORT}; 0 takes any free one.", rich_help_panel=_PANEL)
TLS = typer.Option(
    metavar="auto|FILE.pem|CERT.pem,KEY.pem",
    help="Serve by https, which visitors' own cameras need on other machines; auto makes a certificate.",
    rich_help_panel=_PANEL,
)
TOKEN = typer.Option(
    envvar="EDGEGAN_TOKEN", help="The token to ask for; by default a new one at each start.", rich_help_panel=_PANEL
)


def place(web: bool, host: str | None, port: int | None, tls: str | None, token: str | None) -> Place | None:
    """Where to serve; None without --web. Raises what opening a page there would raise, before anything is loaded."""
    if not web:
        for name, given in (("--host", host), ("--port", port), ("--tls", tls)):
            if given is not None:
                raise InputError(f"{name} {given} was given without --web", todo="add --web")
        return None
    from edgegan.runtime.web import Place

    wanted = Place(host or "127.0.0.1", _PORT if port is None else port, tls, token or None)
    wanted.check()
    return wanted


def open_page(place: Place, show: Show, stats: Stats, *, label: bool) -> WebPage:
    """Serves the page and says where."""
    from edgegan.runtime.editor import Editor
    from edgegan.runtime.web import WebPage

    chosen, card = show.model.selection, show.model.card
    about = {"model": card.name, "backend": chosen.backend, "device": chosen.device, "precision": card.precision}
    open_editor = show.model.another if isinstance(show.model, Editor) else None
    page = WebPage(show.controls, stats, about, place=place, open_editor=open_editor, mark=label, origin=show.origin)
    print(f"page:    {page.url}")
    if page.fingerprint:
        print(f"         its certificate was made now, and browsers warn of it; SHA-256 {page.fingerprint}")
    if not place.loopback and place.tls is None:
        print("         not encrypted: whoever shares the network can see the picture, and visitors' own cameras")
        print("         stay off; --tls auto mends both")
    return page
