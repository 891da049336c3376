"""`edgegan live`."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgegan.runtime.errors import InputError

if TYPE_CHECKING:
    from edgegan.runtime.card import ModelCard
    from edgegan.runtime.editor import Editor
    from edgegan.runtime.sinks import Sink
    from edgegan.runtime.sources import Source
    from edgegan.runtime.stats import Stats

EPILOG = """
**Examples**

`edgegan live` — the model that ships, on drawn faces, in a window (h shows the keys)

`edgegan live --set Blond_Hair=1 --sink out.mp4 --seconds 10` — the same, recorded

`edgegan live runs/celeba --source 0 --set Eyeglasses=1` — your own model, on camera 0

`edgegan live model.onnx --source clip.mp4 --set Smiling=1 --sink out.mp4 --side-by-side` — every frame of a file

`edgegan live --sink null --seconds 20 --stats-json stats.json` — only measure
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog=EPILOG)(live)


def live(
    model: Annotated[
        str | None, typer.Argument(help="A model file, an export or run folder; none: the model that ships.")
    ] = None,
    source_spec: Annotated[
        str,
        typer.Option(
            "--source",
            metavar="SPEC",
            help="A camera (0, /dev/video0), video, picture, folder, URL, or synthetic[:WxH][@FPS][#SEED].",
        ),
    ] = "synthetic",
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="An attribute: 1 on, 0 off. Repeatable.")
    ] = None,
    sink_specs: Annotated[
        list[str] | None,
        typer.Option("--sink", metavar="SPEC", help="window, null, a .mp4 file, or a folder. Repeatable."),
    ] = None,
    backend: Annotated[str, typer.Option(help="auto, onnxruntime, openvino or tensorrt.")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, gpu or npu.")] = "auto",
    allow_fallback: Annotated[
        bool, typer.Option("--allow-fallback", help="Take another device if the wanted one is not there.")
    ] = False,
    frames: Annotated[int | None, typer.Option(min=1, help="Stop after so many frames.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Stop after so many seconds.")] = None,
    size: Annotated[str | None, typer.Option(metavar="WxH", help="Ask a camera for a size, as in 1280x720.")] = None,
    fps: Annotated[float | None, typer.Option(help="Ask a camera for a rate; for pictures, frames per second.")] = None,
    loop: Annotated[bool, typer.Option("--loop", help="Begin again at the end of a file or folder.")] = False,
    every_frame: Annotated[
        bool, typer.Option("--every-frame", help="Lose no frame of the synthetic camera, however long each takes.")
    ] = False,
    side_by_side: Annotated[bool, typer.Option("--side-by-side", help="Before and after in one picture.")] = False,
    label: Annotated[bool, typer.Option("--label/--no-label", help="The AI-edited mark in the corner.")] = True,
    hud: Annotated[
        bool | None, typer.Option("--hud/--no-hud", help="The status line; by default in windows only.")
    ] = None,
    stats_json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the statistics as JSON.")] = None,
) -> None:
    """Edit faces live: from a camera, a file or the synthetic camera, to a window or a video file."""
    from edgegan.runtime.controls import Controls
    from edgegan.runtime.editor import Editor
    from edgegan.runtime.hud import Dressed
    from edgegan.runtime.sinks import Clock, Sinks, check_writable, open_sink
    from edgegan.runtime.sources import open_source
    from edgegan.runtime.stats import Stats
    from edgegan.runtime.stream import Stream

    os.environ.setdefault("QT_LOGGING_RULES", "*.warning=false")  # OpenCV's windows complain of fonts they do without
    changes = dict(_setting(each) for each in settings or ())
    outputs = sink_specs or ["window"]
    _refuse_overwriting(source_spec, [*outputs, *([str(stats_json)] if stats_json else [])])
    if stats_json:
        check_writable(stats_json)
    with ExitStack() as stack:
        source = stack.enter_context(open_source(source_spec, fps=fps, size_hw=_size_hw(size), loop=loop))
        if source.length == 1 and outputs == ["window"]:  # one picture: stay, and let the keys work
            source = stack.enter_context(open_source(source_spec, fps=fps, loop=True))
        newest_wins = source.live and not every_frame
        clock = Clock(fps=source.fps or 25.0, by_timestamp=newest_wins)
        opened: list[Sink] = [stack.enter_context(open_sink(spec, clock)) for spec in outputs]
        editor = stack.enter_context(Editor.open(model, backend=backend, device=device, allow_fallback=allow_fallback))
        _check_changes(editor.card, changes)
        _introduce(editor, source, changes, screen=any(sink.screen for sink in opened))

        stats = Stats()
        condition = editor.card.condition
        controls = Controls(condition.names, condition.groups, changes, side_by_side=side_by_side)
        dressed = [Dressed(sink, controls, stats, hud=hud, mark=label) for sink in opened]
        limits = [n for n in (frames, source.length) if n]
        try:
            with _progress(min(limits, default=None)) as bar:
                Stream(
                    source,
                    lambda image, record: editor.edit(image, controls.changes, record=record),
                    Sinks([*dressed, bar]),
                    newest_wins=newest_wins,
                    on_keys=controls.press,
                    stats=stats,
                ).run(max_frames=frames, seconds=seconds)
        finally:
            for sink in opened:  # here, so that what is said of a file below is true
                sink.close()
            _report(stats, [sink.about for sink in opened if sink.about and not sink.screen])
            if stats_json:
                _write_stats(stats_json, stats, editor, source)


def _setting(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not name or not 0.0 <= number <= 1.0:
        raise InputError(
            f"--set {text} cannot be read", "NAME=VALUE, a value from 0 (off) to 1 (on)", "as in: --set Smiling=1"
        )
    return name, number


def _size_hw(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if not match:
        raise InputError(f"--size {text} cannot be read", "WIDTHxHEIGHT in pixels, as in 1280x720")
    return int(match[2]), int(match[1])


def _refuse_overwriting(source_spec: str, outputs: list[str]) -> None:
    """A run that writes over what it reads would destroy it."""
    for output in outputs:
        place = Path(output)
        if place.exists() and Path(source_spec).exists() and place.samefile(source_spec):
            raise InputError(
                f"{output} is the source and a place to write to", todo="name another place for the output"
            )


def _check_changes(card: ModelCard, changes: dict[str, float]) -> None:
    card.condition.apply({}, changes)
    for group in card.condition.groups:
        on = [name for name in group if changes.get(name, 0.0) > 0.0]
        if len(on) > 1:
            raise InputError(f"{' and '.join(on)} exclude each other", todo="set one of them")


def _introduce(editor: Editor, source: Source, changes: dict[str, float], *, screen: bool) -> None:
    """Says what runs, on what, and what the model knows."""
    card = editor.card
    print(f"model:   {card.name} ({card.family}, {card.precision})" + (f", knows {card.domain}" if card.domain else ""))
    first, *others = editor.selection.lines()
    print(f"backend: {first}")
    for line in others:
        print(f"         {line}")
    for notice in editor.notices:
        print(f"note:    {notice}")
    print(f"source:  {source.about}")
    if source.name != "synthetic" and re.search(r"drawn|avatar", card.domain, re.IGNORECASE):
        print(
            f"note:    this model knows {card.domain}, so photographed faces will not come out well; "
            "bring a model of your own: edgegan live RUN_OR_MODEL.onnx"
        )
    if not changes and not screen and card.condition.names:
        print(f"note:    nothing is set to change; --set takes {', '.join(card.condition.names)}")
    print("keys:    h shows them, q quits" if screen else "Ctrl-C stops")


@contextmanager
def _progress(total: int | None) -> Iterator[Sink]:
    """A progress bar on stderr, as a sink: each frame moves it on."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from edgegan.runtime.sinks.null import Null

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("frames", total=total)

        class Bar(Null):
            def write(self, frame: object, before: object = None) -> str:
                progress.advance(task)
                return ""

        yield Bar()


def _report(stats: Stats, places: list[str]) -> None:
    """What happened: a line, a table of stages, and where the output lies."""
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
    for place in places:
        print(f"written: {place}")


def _write_stats(path: Path, stats: Stats, editor: Editor, source: Source) -> None:
    import msgspec

    from edgegan.runtime.files import write_atomic

    chosen = editor.selection
    about = {"model": editor.card.name, "backend": chosen.backend, "device": chosen.device, "source": source.about}
    write_atomic(path, msgspec.json.format(msgspec.json.encode({**about, **stats.as_dict()}), indent=2) + b"\n")
    print(f"written: {path}")
