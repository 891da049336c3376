"""`edgegan live`: the options, in the order of its help. `run.run` is what it does."""

from __future__ import annotations

from pathlib import Path

import typer

from . import options

EPILOG = """
**Examples**

`edgegan live` — drawn faces, in a window (h shows the keys)

`edgegan live --source 0 --set Black_Hair=1` — a camera, with the model of photographed faces that ships

`edgegan live --set Blond_Hair=1 --sink out.mp4 --seconds 10` — drawn faces, recorded

`edgegan live runs/celeba --source 0 --set Eyeglasses=1` — your own model, on camera 0

`edgegan live model.onnx --source clip.mp4 --set Eyeglasses=1 --sink out.mp4 --side-by-side` — every frame of a file

`edgegan live --source rtsp://192.168.0.9/stream --sink virtualcam --sink out.mp4` — a network camera as a webcam

`edgegan live --source "gst:v4l2src ! video/x-raw,width=1280" --sink - | ffplay -` — GStreamer in, another program out

`edgegan live runs/horses/export/AtoB --source 0 --work-size 192x320` — a model of whole frames

`edgegan live runs/fastgan --sink walk.mp4 --seconds 20` — a generator: a walk through its pictures

`edgegan live --source 0 --web --host 0.0.0.0 --tls auto` — a page for the phones in the room

`echo "set Smiling 0.7" | edgegan live --stdin --preset evening --sink out.mp4 --seconds 10` — no keyboard, no screen

`edgegan live --set Smiling=1 --sink null --seconds 20 --stats-json stats.json` — only measure
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog=EPILOG)(live)


def live(
    model: options.Model = None,
    source: options.Source = None,
    size: options.Size = None,
    fps: options.Fps = None,
    loop: options.Loop = False,
    realtime: options.Realtime = False,
    every_frame: options.EveryFrame = False,
    patience: options.Patience = None,
    frames: options.Frames = None,
    seconds: options.Seconds = None,
    settings: options.Settings = None,
    span: options.Span = None,
    preset: options.Preset = None,
    list_presets: options.ListPresets = False,
    fresh: options.Fresh = False,
    view: options.View = None,
    side_by_side: options.SideBySide = False,
    mirror: options.Mirror = False,
    full_screen: options.FullScreen = False,
    stdin: options.Stdin = False,
    sinks: options.Sinks = None,
    label: options.Label = True,
    hud: options.Hud = None,
    files: options.Files = Path("."),
    snapshot_every: options.SnapshotEvery = None,
    stats_json: options.StatsJson = None,
    backend: options.Backend = "auto",
    device: options.Device = "auto",
    allow_fallback: options.AllowFallback = False,
    rebuild: options.Rebuild = "auto",
    work_size: options.WorkSize = None,
    speed: options.Speed = 0.5,
    faces: options.Faces = "all",
    smooth: options.Smooth = True,
    colour_match: options.ColourMatch = False,
    guard: options.Guard = False,
    any_pose: options.AnyPose = False,
    web: options.Web = False,
    host: options.Host = None,
    port: options.Port = None,
    tls: options.Tls = None,
    token: options.Token = None,
    ice: options.Ice = None,
    proxy: options.Proxy = None,
) -> None:
    """Edit live: from a camera, a file or the synthetic camera, to a window or a video file.

    A generator needs no camera: it walks from one random picture to the next, steered by keys and sliders. A walk
    that is only recorded loses no frame, and --seconds is then the length of the recording.
    """
    asked = locals()  # by name, before anything else gets one
    from .asked import Asked
    from .run import run

    run(Asked(**asked))
