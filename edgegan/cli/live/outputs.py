"""Where the frames of a live run go: the sinks in their dress, files made on request, and the page."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack, redirect_stdout
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgegan.runtime.live.sinks import Clock, Sink
    from edgegan.runtime.live.web import WebPage
    from edgegan.runtime.metrics.stats import Stats

    from .asked import Asked
    from .show import Show


def keep_stdout_free(stack: ExitStack, outputs: Sequence[str]) -> None:
    """Where frames go to stdout, what is said goes to stderr: it would be in the picture."""
    from edgegan.runtime.live.sinks import stdout

    if any(stdout.accepts(spec) for spec in outputs):
        stack.enter_context(redirect_stdout(sys.stderr))


def dressed(
    stack: ExitStack, asked: Asked, show: Show, sinks: Sequence[Sink], clock: Clock, stats: Stats
) -> list[Sink]:
    """All that takes the frames of `show`: `sinks`, snapshots, recordings, lines on stdin, and the page."""
    from edgegan.runtime.live.screen.dressed import Dressed

    panel = show.controls
    made: list[Sink] = []
    for sink in sinks:
        sink.offer(panel)
        made.append(Dressed(sink, panel, stats, hud=asked.hud, mark=asked.label, origin=show.origin, about=show.about))
    watched = asked.web or any(sink.screen for sink in sinks)
    if watched or asked.stdin or asked.snapshot_every:
        made += _on_request(asked, show, clock, stats)
        if not watched:
            panel.listener = _tell  # for those who see no picture
    if asked.address is not None:
        made.append(stack.enter_context(_open_page(asked, show, stats)))
    return made


def _on_request(asked: Asked, show: Show, clock: Clock, stats: Stats) -> list[Sink]:
    from edgegan.runtime.live.controls.lines import Lines
    from edgegan.runtime.live.recordings import Recorder
    from edgegan.runtime.live.screen.dressed import Dressed
    from edgegan.runtime.live.snapshots import Snapshots

    panel, origin = show.controls, show.origin
    about = {"model": show.model.card.name, "backend": show.about}

    def dress(sink: Sink) -> Sink:
        return Dressed(sink, panel, stats, hud=False, mark=asked.label, origin=origin)

    made: list[Sink] = [
        Snapshots(asked.files, panel, every_s=asked.snapshot_every, mark=asked.label, origin=origin, about=about),
        Recorder(asked.files, panel, clock, dress),
    ]
    return [*made, Lines(sys.stdin, panel, _tell)] if asked.stdin else made


def _open_page(asked: Asked, show: Show, stats: Stats) -> WebPage:
    """Serves the page and says where."""
    from edgegan.runtime.edit.editor import Editor
    from edgegan.runtime.live.web import WebPage

    chosen, card, address = show.model.selection, show.model.card, asked.address
    about = {"model": card.name, "backend": chosen.backend, "device": chosen.device, "precision": card.precision}
    page = WebPage(
        show.controls,
        stats,
        about,
        address=address,
        open_editor=partial(show.model.another, give_way=True) if isinstance(show.model, Editor) else None,
        faces=asked.face_options.which if card.faces else None,
        ice=asked.ice_servers,
        mark=asked.label,
        origin=show.origin,
    )
    print(f"page:    {page.url}")
    if page.fingerprint:
        print(f"         its certificate was made now, and browsers warn of it; SHA-256 {page.fingerprint}")
    if address is not None and not address.loopback and address.tls is None:
        print("         not encrypted: whoever shares the network can see the picture, and visitors' own cameras")
        print("         stay off; --tls auto mends both")
    return page


def _tell(words: str) -> None:
    print(words, file=sys.stderr)
