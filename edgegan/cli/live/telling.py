"""What `edgegan live` says: what runs, how far it is, and what it did."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgegan.runtime.edit.session import Session
    from edgegan.runtime.live.sink import Sink
    from edgegan.runtime.live.source import Source
    from edgegan.runtime.live.web import Address, WebPage
    from edgegan.runtime.metrics.live import LiveTally

_NOTICE = (
    "note:    this program edits people's faces: ask those who are seen, and pass no edit off as real.",
    "         Pictures carry a visible mark (--no-label takes it off), files also tell of it in their metadata.",
    "         No picture is stored or sent unless you ask for it. This note comes once.",
)


def notice_once(model: Session) -> None:
    """The notice of the first use of a model that edits: on a terminal, once."""
    from edgegan.runtime.live.controls.remembered import first_time

    if model.card.task == "translate" and sys.stderr.isatty() and not os.environ.get("CI") and first_time("notice"):
        print("\n".join(_NOTICE), file=sys.stderr)


def introduce(model: Session, source: Source, *, screen: bool, set_: bool, note: str = "") -> None:
    """Says what runs, on what, and what the model knows."""
    card = model.card
    print(f"model:   {card.name} ({card.family}, {card.precision})" + (f", knows {card.domain}" if card.domain else ""))
    first, *others = model.selection.lines()
    print(f"backend: {first}")
    for line in others:
        print(f"         {line}")
    for notice in (*model.notices, *([note] if note else [])):
        print(f"note:    {notice}")
    print(f"source:  {source.about}")
    for notice in source.notes:
        print(f"note:    {notice}")
    edits = card.task == "translate"
    if edits and source.name != "synthetic" and re.search(r"drawn|avatar", card.domain, re.IGNORECASE):
        print(
            f"note:    this model knows {card.domain}, so photographed faces will not come out well; "
            "bring a model of your own: edgegan live RUN_OR_MODEL.onnx"
        )
    if edits and not set_ and not screen and card.condition.names:
        print(f"note:    nothing is set to change; --set takes {', '.join(card.condition.names)}")
    print("keys:    h shows them, q quits" if screen else "Ctrl-C stops")


def tell(words: str) -> None:
    """Says something while the run goes on."""
    print(words, file=sys.stderr)


def announce_page(page: WebPage, address: Address) -> None:
    """Says where the page is, and what may go wrong there."""
    print(f"page:    {page.url}")
    if page.fingerprint:
        print(f"         its certificate was made now, and browsers warn of it; SHA-256 {page.fingerprint}")
    if not address.loopback and address.tls is None:
        print("         not encrypted: whoever shares the network can see the picture, and visitors' own cameras")
        print("         stay off; --tls auto mends both")


@contextmanager
def show_progress(total: int | None, stats: LiveTally) -> Iterator[Sink]:
    """A progress bar on stderr, with what happens now, as a sink: each frame moves it on."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TimeRemainingColumn
    from rich.text import Text

    from edgegan.runtime.live.sinks.null import Null

    class Now(ProgressColumn):
        max_refresh = 0.5

        def render(self, task: Task) -> Text:
            return Text(", ".join(stats.line()))

    with Progress(
        MofNCompleteColumn(), BarColumn(), TimeRemainingColumn(), Now(), console=Console(stderr=True), transient=True
    ) as progress:
        task = progress.add_task("frames", total=total)

        class Bar(Null):
            def write(self, frame: object, before: object = None) -> None:
                progress.advance(task)

        yield Bar()


def report(stats: LiveTally, source: Source, places: list[str]) -> None:
    """What happened: a line, a table of stages, memory, what was wrong with the source, and where the output lies."""
    from rich.console import Console
    from rich.table import Table

    print(stats.summary())
    if not stats.shown:
        return
    head, rows = stats.table()
    table = Table(box=None, pad_edge=False)
    for number, column in enumerate(head):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    if memory := stats.memory():
        print(memory)
    for trouble in source.troubles():
        print(f"note:    {trouble}")
    for place in places:
        print(f"written: {place}")


def tell_left_alone(model: Session) -> None:
    """Says why faces were not edited, where there were such."""
    for why, count in _count_left_alone(model).items():
        print(f"left alone: {count} times a face: {why} (--any-pose edits those too)")


def _count_left_alone(model: Session) -> dict[str, int]:
    from edgegan.runtime.edit.editor import Editor

    return model.statistics.left_alone if isinstance(model, Editor) else {}


def write_stats(path: Path, stats: LiveTally, model: Session, source: Source) -> None:
    """Writes all figures as JSON, and says where."""
    import msgspec

    from edgegan.runtime.files import write_atomic

    chosen = model.selection
    about = {
        "model": model.card.name,
        "backend": chosen.backend,
        "device": chosen.device,
        "source": source.about,
        "troubles": source.troubles(),
        "left_alone": _count_left_alone(model),
    }
    told = msgspec.json.encode({**about, **msgspec.to_builtins(stats.statistics())})
    write_atomic(path, msgspec.json.format(told, indent=2) + b"\n")
    print(f"written: {path}")
