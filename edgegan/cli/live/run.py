"""A live run, from what was asked to what is reported."""

from __future__ import annotations

import os
from contextlib import ExitStack

from edgegan.runtime.live.sinks import Sink, Sinks, open_sink
from edgegan.runtime.live.stream import Stream
from edgegan.runtime.metrics.stats import Stats
from edgegan.runtime.model import artefact
from edgegan.runtime.shipped import default_model

from .asked import Asked
from .feed import open_feed
from .outputs import dressed, keep_stdout_free
from .show import open_show
from .start import list_presets
from .telling import bar, introduce, notice_once, report, write_stats


def run(asked: Asked) -> None:
    """Opens source, sinks and model, runs until one of them, a person or a limit ends it, and says what was done."""
    os.environ.setdefault("QT_LOGGING_RULES", "*.warning=false")  # OpenCV's windows complain of fonts they do without
    asked.check()
    found = artefact.load(asked.model or default_model("synthetic" if asked.draws else "real"))
    if asked.list_presets:
        return list_presets(found.card)
    asked.check_for(found.card)
    with ExitStack() as stack:
        keep_stdout_free(stack, asked.outputs)
        feed = open_feed(stack, asked, found.card)
        sinks: list[Sink] = [stack.enter_context(open_sink(spec, feed.clock, label=False)) for spec in asked.outputs]
        screen = any(sink.screen for sink in sinks)
        start = asked.wishes.begin(found.card, watched=screen or asked.web)
        show = open_show(stack, asked, found, start, feed)
        notice_once(show.model)
        introduce(
            show.model,
            feed.source,
            screen=screen,
            set_=bool(start.changes) or asked.stdin or asked.web,
            note=start.note,
        )

        stats = Stats()
        outputs = dressed(stack, asked, show, sinks, feed.clock, stats)
        try:
            with bar(feed.total, stats) as progress:
                Stream(
                    show.source,
                    show.process,
                    Sinks([*outputs, progress]),
                    newest_wins=feed.newest_wins,
                    on_keys=show.controls.press,
                    stats=stats,
                ).run(max_frames=feed.frames, seconds=feed.seconds)
        finally:
            start.leave(show.controls)
            Sinks(outputs).close()  # here, so that what is said of a file below is true
            report(stats, [sink.about for sink in sinks if sink.about and not sink.screen])
            if asked.stats_json:
                write_stats(asked.stats_json, stats, show.model, feed.source)
