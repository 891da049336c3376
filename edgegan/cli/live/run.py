"""A live run, from what was asked to what is reported."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack, redirect_stdout

from edgegan.runtime.live.frame_clock import FrameClock
from edgegan.runtime.live.opening import default_model_for, open_source_for
from edgegan.runtime.live.session import LiveSession
from edgegan.runtime.live.sinks import open_sink, stdout
from edgegan.runtime.live.source import Source
from edgegan.runtime.model import artefact
from edgegan.runtime.model.card import ModelCard

from .asked import Asked
from .model import open_model
from .start import list_presets
from .telling import announce_page, introduce, notice_once, report, show_progress, tell, tell_left_alone, write_stats


def run(asked: Asked) -> None:
    """Opens source, sinks and model, runs until one of them, a person or a limit ends it, and says what was done."""
    os.environ.setdefault("QT_LOGGING_RULES", "*.warning=false")  # OpenCV's windows complain of fonts they do without
    asked.check()
    found = artefact.load(asked.model or default_model_for(asked.source))
    if asked.list_presets:
        return list_presets(found.card)
    asked.check_for(found.card)
    with ExitStack() as stack:
        _keep_stdout_free(stack, asked.outputs)
        source = _open_source(stack, asked, found.card)
        clock = FrameClock.of(source, every_frame=asked.every_frame)
        sinks = [stack.enter_context(open_sink(spec, clock, label=False)) for spec in asked.outputs]
        screen = any(sink.screen for sink in sinks)
        watched = screen or asked.web
        start = asked.wishes.begin(found.card, watched=watched)
        model, controls = open_model(stack, asked, found, start, source, beside=clock.by_timestamp)
        notice_once(model)
        set_ = bool(start.changes) or asked.stdin or asked.web
        introduce(model, source, screen=screen, set_=set_, note=start.note)

        session = stack.enter_context(
            LiveSession(
                source,
                model,
                sinks,
                controls=controls,
                clock=clock,
                faces=asked.face_options.which,
                mark=asked.label,
                hud=asked.hud,
                files=asked.files if watched or asked.stdin or asked.snapshot_every else None,
                snapshot_every_s=asked.snapshot_every,
            )
        )
        if not watched:
            controls.listener = tell  # for those who see no picture
        if asked.stdin:
            session.obey(sys.stdin, tell)
        if asked.address is not None:
            announce_page(session.serve(asked.address, ice=asked.ice_servers), asked.address)
        try:
            with show_progress(session.total(asked.frames, asked.seconds), session.stats) as progress:
                session.add(progress)
                session.run(frames=asked.frames, seconds=asked.seconds)
        finally:
            start.leave(controls)
            session.close()  # here, so that what is said of a file below is true
            report(session.stats, source, [sink.about for sink in sinks if sink.about and not sink.screen])
            tell_left_alone(model)
            if asked.stats_json:
                write_stats(asked.stats_json, session.stats, model, source)


def _keep_stdout_free(stack: ExitStack, outputs: Sequence[str]) -> None:
    """Where frames go to stdout, what is said goes to stderr: it would be in the picture."""
    if any(stdout.accepts(spec) for spec in outputs):
        stack.enter_context(redirect_stdout(sys.stderr))


def _open_source(stack: ExitStack, asked: Asked, card: ModelCard) -> Source:
    return open_source_for(
        stack,
        card,
        asked.source_for(card),
        watched="window" in asked.outputs or asked.web,
        windows_only=all(spec == "window" for spec in asked.outputs),
        fps=asked.fps,
        size_hw=asked.size_hw,
        loop=asked.loop,
        realtime=asked.realtime or asked.web,
        reconnect_s=math.inf if asked.patience is None else asked.patience,
        every_frame=asked.every_frame,
    )
