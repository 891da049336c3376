"""`edgegan live`."""

from __future__ import annotations

import math
import os
import re
import sys
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgegan.runtime.errors import InputError

from . import _rebuild, _steering, _web

if TYPE_CHECKING:
    from edgegan.runtime.sinks import Sink

EPILOG = """
**Examples**

`edgegan live` — the model that ships, on drawn faces, in a window (h shows the keys)

`edgegan live --set Blond_Hair=1 --sink out.mp4 --seconds 10` — the same, recorded

`edgegan live runs/celeba --source 0 --set Eyeglasses=1` — your own model, on camera 0

`edgegan live model.onnx --source clip.mp4 --set Smiling=1 --sink out.mp4 --side-by-side` — every frame of a file

`edgegan live --source rtsp://192.168.0.9/stream --sink virtualcam --sink out.mp4` — a network camera as a webcam

`edgegan live --source "gst:v4l2src ! video/x-raw,width=1280" --sink - | ffplay -` — GStreamer in, another program out

`edgegan live runs/horses/export/AtoB --source 0 --work-size 192x320` — a model of whole frames

`edgegan live runs/fastgan --sink walk.mp4 --seconds 20` — a generator: a walk through its pictures

`edgegan live --source 0 --web --host 0.0.0.0 --tls auto` — a page for the phones in the room

`echo "set Smiling 0.7" | edgegan live --stdin --preset evening --sink out.mp4 --seconds 10` — no keyboard, no screen

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
            help="A camera (0, /dev/video0), video, picture, folder, URL (rtsp, http), gst:PIPELINE, or "
            "synthetic[:WxH][@FPS][#SEED] (the default); for a generator: latent[@FPS][#SEED].",
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
        typer.Option(
            "--sink",
            metavar="SPEC",
            help="window, a .mp4 file, a folder, virtualcam[:DEVICE], - (YUV4MPEG2 on stdout) or null. Repeatable.",
        ),
    ] = None,
    backend: Annotated[str, typer.Option(help="auto, or a backend that `edgegan doctor` lists.")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, gpu or npu.")] = "auto",
    allow_fallback: Annotated[
        bool, typer.Option("--allow-fallback", help="Take another device if the wanted one is not there.")
    ] = False,
    rebuild: Annotated[str, _rebuild.OPTION] = "auto",
    frames: Annotated[int | None, typer.Option(min=1, help="Stop after so many frames.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Stop after so many seconds.")] = None,
    size: Annotated[str | None, typer.Option(metavar="WxH", help="Ask a camera for a size, as in 1280x720.")] = None,
    work_size: Annotated[
        str | None,
        typer.Option(metavar="HxW", help="For models of whole frames: the size at which they go through the network."),
    ] = None,
    which: Annotated[
        str, typer.Option("--faces", metavar="WHICH", help="The faces to edit: all, largest, or the N largest.")
    ] = "all",
    smooth: Annotated[
        bool, typer.Option("--smooth/--no-smooth", help="Steady faces; else each frame's detection as it is.")
    ] = True,
    colour_match: Annotated[
        bool, typer.Option("--colour-match", help="Give each edited face the colours around it.")
    ] = False,
    guard: Annotated[
        bool, typer.Option("--guard", help="Drop slight changes, as to hands and hair before a face.")
    ] = False,
    speed: Annotated[
        float, typer.Option(min=0.01, max=10.0, help="For generators: how many pictures the walk passes a second.")
    ] = 0.5,
    fps: Annotated[float | None, typer.Option(help="Ask a camera for a rate; for pictures, frames per second.")] = None,
    loop: Annotated[bool, typer.Option("--loop", help="Begin again at the end of a file or folder.")] = False,
    realtime: Annotated[
        bool, typer.Option("--realtime", help="A file at its own speed; windows and virtual cameras do so anyway.")
    ] = False,
    every_frame: Annotated[
        bool, typer.Option("--every-frame", help="Lose no frame of a live source, however long each takes.")
    ] = False,
    patience: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            metavar="SECONDS",
            help="How long to wait for a camera or stream that went away; by default for ever, 0 for not at all.",
        ),
    ] = None,
    range_: Annotated[str | None, _steering.RANGE] = None,
    preset: Annotated[str | None, _steering.PRESET] = None,
    list_presets: Annotated[bool, _steering.LIST_PRESETS] = False,
    fresh: Annotated[bool, _steering.FRESH] = False,
    view: Annotated[str | None, _steering.VIEW] = None,
    side_by_side: Annotated[bool, typer.Option("--side-by-side", help="The same as --view both.")] = False,
    mirror: Annotated[bool, _steering.MIRROR] = False,
    full_screen: Annotated[bool, _steering.FULL_SCREEN] = False,
    stdin: Annotated[bool, _steering.STDIN] = False,
    files: Annotated[Path, _steering.FILES] = Path("."),
    snapshot_every: Annotated[float | None, _steering.SNAPSHOT_EVERY] = None,
    web: Annotated[bool, _web.WEB] = False,
    host: Annotated[str | None, _web.HOST] = None,
    port: Annotated[int | None, _web.PORT] = None,
    tls: Annotated[str | None, _web.TLS] = None,
    token: Annotated[str | None, _web.TOKEN] = None,
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
    import msgspec
    from rich.console import Console

    from edgegan.runtime import artefact
    from edgegan.runtime.hud import Dressed
    from edgegan.runtime.sinks import Clock, Sinks, check_writable, open_sink, stdout
    from edgegan.runtime.sources import latent, open_source
    from edgegan.runtime.sources._frozen import Frozen
    from edgegan.runtime.stats import Stats
    from edgegan.runtime.stream import Stream

    from ._live import bar, introduce, report, write_stats
    from ._progress import told
    from ._show import Where, editing, face_options, refuse_for_generators, walking

    os.environ.setdefault("QT_LOGGING_RULES", "*.warning=false")  # OpenCV's windows complain of fonts they do without
    changes = dict(_setting(each) for each in settings or ())
    wishes = _steering.wishes(
        changes,
        range_=range_,
        preset=preset,
        fresh=fresh,
        view=view,
        side_by_side=side_by_side,
        mirror=mirror,
        full_screen=full_screen,
        stdin=stdin,
    )
    place = _web.place(web, host, port, tls, token)
    outputs = sink_specs or ([] if place else ["window"])
    _refuse_overwriting(source_spec, [*outputs, *([str(stats_json)] if stats_json else [])])
    if stats_json:
        check_writable(stats_json)
    faces = face_options(which, smooth=smooth, colour_match=colour_match, guard=guard, beside=False)
    found = artefact.load(artefact.shipped() if model is None else model)
    if list_presets:
        return _steering.list_presets(found.card)
    draws = found.card.task == "generate"
    source_spec = source_spec or ("latent" if draws else "synthetic")
    size_hw = _pair(size, "--size WIDTHxHEIGHT")
    if draws:
        refuse_for_generators(source_spec, size, work_size, wishes.view)
        size_hw = found.card.size.hw
    elif latent.accepts(source_spec):
        raise InputError(f"--source {source_spec} is for generators", f"{found.card.name} edits pictures")
    with ExitStack() as stack:
        if any(stdout.accepts(spec) for spec in outputs):  # what is said would be in the picture
            stack.enter_context(redirect_stdout(sys.stderr))
        source = stack.enter_context(
            open_source(
                source_spec,
                fps=fps,
                size_hw=size_hw,
                loop=loop,
                realtime=realtime or place is not None,
                reconnect_s=math.inf if patience is None else patience,
            )
        )
        if source.length == 1 and outputs == ([] if place else ["window"]):  # one picture: stay, and let the keys work
            source = stack.enter_context(open_source(source_spec, fps=fps, loop=True))
        if draws and "window" not in outputs and not place:  # nobody watches: every picture counts, and none waits
            source.live = False
            if seconds is not None:
                frames, seconds = min(frames or 1 << 40, max(1, round(seconds * (source.fps or 30.0)))), None
        newest_wins = source.live and not every_frame
        faces = msgspec.structs.replace(faces, beside=newest_wins)
        clock = Clock(fps=source.fps or 25.0, by_timestamp=newest_wins, sound=None if newest_wins else source.sound)
        opened: list[Sink] = [stack.enter_context(open_sink(spec, clock)) for spec in outputs]
        screen = any(sink.screen for sink in opened)
        watched = screen or place is not None
        start = wishes.begin(found.card, watched=watched)
        with told(Console(stderr=True)) as tell:
            where = Where(backend, device, allow_fallback, _rebuild.choice(rebuild), tell)
            step_s = None if newest_wins else 1.0 / clock.fps
            if draws:
                show = walking(stack, found, where, start, source, speed, step_s)
            else:
                hw = _pair(work_size, "--work-size HEIGHTxWIDTH")
                if source.fps is None and not source.live:
                    step_s = math.inf
                show = editing(stack, found, where, start, hw, faces, step_s)
                _steering.notice_once()
        introduce(show.model, source, screen=screen, set_=bool(start.changes) or stdin or watched, note=start.note)

        stats = Stats()
        for sink in opened:
            sink.offer(show.controls)
        chosen, card, panel = show.model.selection, show.model.card, show.controls
        about = f"{chosen.backend} {chosen.device} {card.precision}"
        dressed: list[Sink] = [
            Dressed(sink, panel, stats, hud=hud, mark=label, origin=show.origin, about=about) for sink in opened
        ]
        if watched or stdin or snapshot_every:
            dressed += _steering.on_request(
                panel, stats, clock, show.origin, label=label, folder=files, every_s=snapshot_every, stdin=stdin,
                about={"model": card.name, "backend": about},
            )  # fmt: skip
            if not watched:
                _steering.speak(panel)
        if place is not None:
            dressed.append(stack.enter_context(_web.open_page(place, show, stats, label=label)))
        limits = [n for n in (frames, source.length) if n]
        try:
            with bar(min(limits, default=None), stats) as progress:
                Stream(
                    source if draws else Frozen(source, panel),
                    show.process,
                    Sinks([*dressed, progress]),
                    newest_wins=newest_wins,
                    on_keys=panel.press,
                    stats=stats,
                ).run(max_frames=frames, seconds=seconds)
        finally:
            start.leave(panel)
            Sinks(dressed).close()  # here, so that what is said of a file below is true
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
