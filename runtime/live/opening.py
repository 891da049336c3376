"""Opening the parts of a live session, in the order in which one needs the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from ..edit.editor import Editor
from ..faces.options import FaceOptions
from ..generate.sampler import Sampler
from ..model import artefact
from ..model.artefact import Artefact
from ..model.card import ModelCard
from ..places import model_parts, refuse_clashes
from ..shipped import default_model
from .frame_clock import FrameClock
from .sink import Sink
from .sinks import open_sink
from .source import Source
from .sources import open_source, synthetic


class Opened(NamedTuple):
    """What a live session is made of, all open."""

    source: Source
    model: Editor | Sampler
    sinks: list[Sink]
    clock: FrameClock


def open_parts(
    stack: ExitStack, model: str | Path | Editor | Sampler | None, source: str | Source | None, sinks: Sequence[str]
) -> Opened:
    """Opens what is not open yet, for as long as `stack` is: source, sinks, then the model, which takes longest.

    Raises what `open_source`, `open_sink`, `Editor.open` and `Sampler.open` do, and InputError, before anything is
    opened, for a place to write to that is read or written to otherwise.
    """
    sources = [source] if isinstance(source, str) else []
    parts = model_parts(model) if isinstance(model, (str, Path)) else {}
    refuse_clashes(parts | dict.fromkeys(sources, "the source"), sinks, folders=sources)
    if isinstance(model, (Editor, Sampler)):
        found: Editor | Sampler | Artefact = model
    else:
        found = artefact.load(default_model_for(source) if model is None else model)
    card = found.card
    if source is None or isinstance(source, str):
        only_windows = set(sinks) == {"window"}
        source = open_source_for(stack, card, source, watched="window" in sinks, windows_only=only_windows)
    clock = FrameClock.of(source)
    opened = [stack.enter_context(open_sink(spec, clock, label=False)) for spec in sinks]
    if not isinstance(found, Artefact):
        return Opened(source, found, opened, clock)
    if card.task == "generate":
        return Opened(source, stack.enter_context(Sampler.open(found)), opened, clock)
    faces = FaceOptions(beside=clock.by_timestamp)
    return Opened(source, stack.enter_context(Editor.open(found, faces=faces)), opened, clock)


def default_model_for(source: str | Source | None) -> Path:
    """Returns the shipped model that suits a source, a SPEC or one that is open; None is the synthetic camera.

    Raises InputError where edgegan ships no model.
    """
    if source is None or isinstance(source, str):
        drawn = source is None or synthetic.accepts(source)
    else:
        drawn = isinstance(source, synthetic.Synthetic)
    return default_model("synthetic" if drawn else "real")


def open_source_for(
    stack: ExitStack,
    card: ModelCard,
    spec: str | None = None,
    *,
    watched: bool = True,
    windows_only: bool = False,
    fps: float | None = None,
    size_hw: tuple[int, int] | None = None,
    loop: bool = False,
    realtime: bool = False,
    reconnect_s: float = math.inf,
    every_frame: bool = False,
) -> Source:
    """Opens the source of a run, for as long as `stack` is, as the model and those who watch need it.

    The beat of a generator that nobody watches goes as fast as its pictures are drawn, and a single picture that is
    only looked at stays, so that the controls have something to work on.

    Args:
        spec: of `open_source`; None takes what suits the model.
        watched: somebody sees the pictures while they come.
        windows_only: they go nowhere else.
        fps, size_hw, loop, realtime, reconnect_s, every_frame: as `open_source` takes them.

    Raises what `open_source` does.
    """
    generates = card.task == "generate"
    spec = spec or ("latent" if generates else "synthetic")
    source = stack.enter_context(
        open_source(
            spec,
            fps=fps,
            size_hw=card.size.hw if generates else size_hw,
            loop=loop,
            realtime=realtime,
            reconnect_s=reconnect_s,
            every_frame=every_frame,
        )
    )
    if generates and not watched:
        source.live = False
    if source.length == 1 and windows_only:
        source = stack.enter_context(open_source(spec, fps=fps, loop=True, realtime=True))
    return source
