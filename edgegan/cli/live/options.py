"""The options of `edgegan live`, in the panels of its help. Importing it costs what Typer costs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from edgegan.cli._shared import rebuild

WEB_PORT = 8080


def _panel(title: str) -> Callable[..., Any]:
    return partial(typer.Option, rich_help_panel=title)


_MODEL = "The model"
_source, _model, _faces = _panel("What comes in"), _panel(_MODEL), _panel("Faces")
_controls, _out, _web = _panel("Controls"), _panel("What goes out"), _panel("In a browser")

Model = Annotated[
    str | None,
    typer.Argument(
        help="A model file, an export or run folder, or the name of a model that comes with edgegan; "
        "none: what suits the source."
    ),
]

# What comes in.
Source = Annotated[
    str | None,
    _source(
        "--source",
        metavar="SPEC",
        help="A camera (0, /dev/video0), video, picture, folder, URL (rtsp, http), gst:PIPELINE, "
        "csi[:SENSOR][:WxH][@FPS][#FLIP] (a Jetson's camera), or synthetic[:WxH][@FPS][#SEED] (the default); "
        "for a generator: latent[@FPS][#SEED].",
    ),
]
Size = Annotated[str | None, _source(metavar="WxH", help="Ask a camera for a size, as in 1280x720.")]
Fps = Annotated[float | None, _source(help="Ask a camera for a rate; for pictures, frames per second.")]
Loop = Annotated[bool, _source("--loop", help="Begin again at the end of a file or folder.")]
Realtime = Annotated[
    bool, _source("--realtime", help="A file at its own speed; windows and virtual cameras do so anyway.")
]
EveryFrame = Annotated[bool, _source("--every-frame", help="Lose no frame of a live source, however long each takes.")]
Patience = Annotated[
    float | None,
    _source(
        min=0.0,
        metavar="SECONDS",
        help="How long to wait for a camera or stream that went away; by default for ever, 0 for not at all.",
    ),
]
Frames = Annotated[int | None, _source(min=1, help="Stop after so many frames.")]
Seconds = Annotated[float | None, _source(min=0.1, help="Stop after so many seconds.")]

# The model.
Backend = Annotated[str, _model(help="auto, or a backend that `edgegan doctor` lists.")]
Device = Annotated[str, _model(help="auto, cpu, cuda, cuda:1, gpu or npu.")]
AllowFallback = Annotated[bool, _model("--allow-fallback", help="Take another device if the wanted one is not there.")]
Rebuild = Annotated[str, rebuild.option(_MODEL)]
WorkSize = Annotated[
    str | None, _model(metavar="HxW", help="For models of whole frames: the size at which they go through the network.")
]
Speed = Annotated[float, _model(min=0.01, max=10.0, help="For generators: how many pictures the walk passes a second.")]

# Faces.
Faces = Annotated[str, _faces("--faces", metavar="WHICH", help="The faces to edit: all, largest, or the N largest.")]
Smooth = Annotated[bool, _faces("--smooth/--no-smooth", help="Steady faces; else each frame's detection as it is.")]
ColourMatch = Annotated[bool, _faces("--colour-match", help="Give each edited face the colours around it.")]
AnyPose = Annotated[
    bool,
    _faces("--any-pose", help="Edit also faces that lie, are upside down or turned away; else they are left alone."),
]
Guard = Annotated[bool, _faces("--guard", help="Drop slight changes, as to hands and hair before a face.")]

# Controls.
Settings = Annotated[
    list[str] | None,
    _controls(
        "--set",
        metavar="NAME=VALUE",
        help="An attribute: 1 on, 0 off; for a generator a slider, as d1=-1.5. Repeatable.",
    ),
]
Span = Annotated[
    str | None,
    _controls(
        "--range", metavar="LOW,HIGH", help="How far sliders and --set go; 0 is off, 1 is on, more may exaggerate."
    ),
]
Preset = Annotated[
    str | None, _controls("--preset", metavar="NAME", help="Begin with a preset that was kept (key k, or `keep`).")
]
ListPresets = Annotated[bool, _controls("--list-presets", help="List the presets of this model and stop.")]
Fresh = Annotated[
    bool, _controls("--fresh", help="Begin without what is remembered of the last time, and remember nothing.")
]
View = Annotated[str | None, _controls("--view", metavar="VIEW", help="after, both (side by side), split or before.")]
SideBySide = Annotated[bool, _controls("--side-by-side", help="The same as --view both.")]
Mirror = Annotated[bool, _controls("--mirror", help="Show left and right exchanged.")]
FullScreen = Annotated[bool, _controls("--full-screen", help="Begin on the whole screen.")]
Stdin = Annotated[
    bool, _controls("--stdin", help="Take lines such as `set Smiling 0.7`, `snapshot`, `record on`, `quit`.")
]

# What goes out.
Sinks = Annotated[
    list[str] | None,
    _out(
        "--sink",
        metavar="SPEC",
        help="window, a .mp4 file, a folder, virtualcam[:DEVICE], - (YUV4MPEG2 on stdout) or null. Repeatable.",
    ),
]
Label = Annotated[bool, _out("--label/--no-label", help="The AI-edited or AI-generated mark.")]
Hud = Annotated[bool | None, _out("--hud/--no-hud", help="The status line; by default in windows only.")]
Files = Annotated[Path, _out("--files", metavar="FOLDER", help="Where snapshots and recordings made by keys go.")]
SnapshotEvery = Annotated[
    float | None, _out("--snapshot-every", min=0.1, metavar="SECONDS", help="Also a snapshot so often.")
]
StatsJson = Annotated[Path | None, _out("--stats-json", metavar="FILE", help="Write the statistics as JSON.")]

# In a browser.
Web = Annotated[bool, _web("--web", help="Serve a page with the picture, the controls and the figures.")]
Host = Annotated[
    str | None, _web(help="The address to serve at (127.0.0.1: this machine alone); any other needs the token.")
]
Port = Annotated[int | None, _web(min=0, max=65535, help=f"Default: {WEB_PORT}; 0 takes any free one.")]
Tls = Annotated[
    str | None,
    _web(
        metavar="auto|FILE.pem|CERT.pem,KEY.pem",
        help="Serve by https, which visitors' own cameras need on other machines; auto makes a certificate.",
    ),
]
Token = Annotated[
    str | None, _web(envvar="EDGEGAN_TOKEN", help="The token to ask for; by default a new one at each start.")
]
Proxy = Annotated[
    list[str] | None,
    _web(
        "--proxy",
        metavar="ADDRESS",
        help="A proxy in front of the page, as an address or a network (10.0.0.0/8), whose X-Forwarded headers are "
        "believed; those on this machine always are. Repeatable.",
    ),
]
Ice = Annotated[
    list[str] | None,
    _web(
        "--ice",
        metavar="URL",
        help="A STUN or TURN server for visitors' own cameras by WebRTC from other networks: stun:HOST[:PORT] or "
        "turn:USER:PASSWORD@HOST[:PORT]. Repeatable; visitors learn the password.",
    ),
]
