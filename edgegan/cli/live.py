"""`edgegan live`."""

from __future__ import annotations

import math
import os
import re
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgegan.runtime.errors import InputError

if TYPE_CHECKING:
    from edgegan.runtime.sinks import Sink

EPILOG = """
**Examples**

`edgegan live` — the model that ships, on drawn faces, in a window (h shows the keys)

`edgegan live --set Blond_Hair=1 --sink out.mp4 --seconds 10` — the same, recorded

`edgegan live runs/celeba --source 0 --set Eyeglasses=1` — your own model, on camera 0

`edgegan live model.onnx --source clip.mp4 --set Smiling=1 --sink out.mp4 --side-by-side` — every frame of a file

`edgegan live runs/horses/export/AtoB --source 0 --work-size 192x320` — a model of whole frames

`edgegan live runs/fastgan --sink walk.mp4 --seconds 20` — a generator: a walk through its pictures

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
        str | None,
        typer.Option(
            "--source",
            metavar="SPEC",
            help="A camera (0, /dev/video0), video, picture, folder, URL, or synthetic[:WxH][@FPS][#SEED] (the "
            "default); for a generator: latent[@FPS][#SEED].",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="An attribute: 1 on, 0 off; for a generator a slider, as d1=-1.5. Repeatable.",
        ),
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
    work_size: Annotated[
        str | None,
        typer.Option(metavar="HxW", help="For models of whole frames: the size at which they go through the network."),
    ] = None,
    speed: Annotated[
        float, typer.Option(min=0.01, max=10.0, help="For generators: how many pictures the walk passes a second.")
    ] = 0.5,
    fps: Annotated[float | None, typer.Option(help="Ask a camera for a rate; for pictures, frames per second.")] = None,
    loop: Annotated[bool, typer.Option("--loop", help="Begin again at the end of a file or folder.")] = False,
    every_frame: Annotated[
        bool, typer.Option("--every-frame", help="Lose no frame of the synthetic camera, however long each takes.")
    ] = False,
    side_by_side: Annotated[bool, typer.Option("--side-by-side", help="Before and after in one picture.")] = False,
    label: Annotated[bool, typer.Option("--label/--no-label", help="The AI-edited or AI-generated mark.")] = True,
    hud: Annotated[
        bool | None, typer.Option("--hud/--no-hud", help="The status line; by default in windows only.")
    ] = None,
    stats_json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the statistics as JSON.")] = None,
) -> None:
    """Edit live: from a camera, a file or the synthetic camera, to a window or a video file.

    A generator needs no camera: it walks from one random picture to the next, steered by keys and sliders. A walk
    that is only recorded loses no frame, and --seconds is then the length of the recording.
    """
    from edgegan.runtime import artefact
    from edgegan.runtime.hud import Dressed
    from edgegan.runtime.sinks import Clock, Sinks, check_writable, open_sink
    from edgegan.runtime.sources import latent, open_source
    from edgegan.runtime.stats import Stats
    from edgegan.runtime.stream import Stream

    from ._live import bar, introduce, report, write_stats
    from ._show import editing, refuse_for_generators, walking

    os.environ.setdefault("QT_LOGGING_RULES", "*.warning=false")  # OpenCV's windows complain of fonts they do without
    changes = dict(_setting(each) for each in settings or ())
    outputs = sink_specs or ["window"]
    _refuse_overwriting(source_spec, [*outputs, *([str(stats_json)] if stats_json else [])])
    if stats_json:
        check_writable(stats_json)
    found = artefact.load(artefact.shipped() if model is None else model)
    draws = found.card.task == "generate"
    source_spec = source_spec or ("latent" if draws else "synthetic")
    size_hw = _pair(size, "--size WIDTHxHEIGHT")
    if draws:
        refuse_for_generators(source_spec, size, work_size, side_by_side)
        size_hw = found.card.size.hw
    elif latent.accepts(source_spec):
        raise InputError(f"--source {source_spec} is for generators", f"{found.card.name} edits pictures")
    with ExitStack() as stack:
        source = stack.enter_context(open_source(source_spec, fps=fps, size_hw=size_hw, loop=loop))
        if source.length == 1 and outputs == ["window"]:  # one picture: stay, and let the keys work
            source = stack.enter_context(open_source(source_spec, fps=fps, loop=True))
        if draws and "window" not in outputs:  # nobody watches: every picture counts, and none needs to wait
            source.live = False
            if seconds is not None:
                frames, seconds = min(frames or 1 << 40, max(1, round(seconds * (source.fps or 30.0)))), None
        newest_wins = source.live and not every_frame
        clock = Clock(fps=source.fps or 25.0, by_timestamp=newest_wins)
        opened: list[Sink] = [stack.enter_context(open_sink(spec, clock)) for spec in outputs]
        if draws:
            step_s = None if newest_wins else 1.0 / clock.fps
            show = walking(stack, found, (backend, device, allow_fallback), changes, source, speed, step_s)
        else:
            hw = _pair(work_size, "--work-size HEIGHTxWIDTH")
            show = editing(stack, found, (backend, device, allow_fallback), changes, side_by_side, hw)
        introduce(show.model, source, screen=any(sink.screen for sink in opened), set_=bool(changes))

        stats = Stats()
        for sink in opened:
            sink.offer(show.controls.sliders)
        dressed = [Dressed(sink, show.controls, stats, hud=hud, mark=show.mark if label else "") for sink in opened]
        limits = [n for n in (frames, source.length) if n]
        try:
            with bar(min(limits, default=None)) as progress:
                Stream(
                    source,
                    show.process,
                    Sinks([*dressed, progress]),
                    newest_wins=newest_wins,
                    on_keys=show.controls.press,
                    stats=stats,
                ).run(max_frames=frames, seconds=seconds)
        finally:
            for sink in opened:  # here, so that what is said of a file below is true
                sink.close()
            report(stats, [sink.about for sink in opened if sink.about and not sink.screen])
            if stats_json:
                write_stats(stats_json, stats, show.model, source)


def _setting(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not name or not math.isfinite(number):
        raise InputError(
            f"--set {text} cannot be read", "NAME=VALUE, a value from 0 (off) to 1 (on)", "as in: --set Smiling=1"
        )
    return name, number


def _pair(text: str | None, option: str) -> tuple[int, int] | None:
    """(height, width) out of the text given for "--option WIDTHxHEIGHT", or HEIGHTxWIDTH."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    name, order = option.split()
    if not match or not int(match[1]) or not int(match[2]):
        raise InputError(f"{name} {text} cannot be read", f"{order} in pixels, as in 320x192")
    first, second = int(match[1]), int(match[2])
    return (second, first) if order.startswith("WIDTH") else (first, second)


def _refuse_overwriting(source_spec: str | None, outputs: list[str]) -> None:
    """A run that writes over what it reads would destroy it."""
    for output in outputs:
        place = Path(output)
        if source_spec and place.exists() and Path(source_spec).exists() and place.samefile(source_spec):
            raise InputError(
                f"{output} is the source and a place to write to", todo="name another place for the output"
            )
