"""What `edgegan live` does with each frame, and who steers it: an editor, or a generator's walk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from edgegan.runtime.edit.loading import Loading

if TYPE_CHECKING:
    from edgegan.runtime.edit.session import Session
    from edgegan.runtime.live.controls.panel import Panel
    from edgegan.runtime.live.provenance import Origin
    from edgegan.runtime.live.sources import Frame, Source
    from edgegan.runtime.live.stream import Process
    from edgegan.runtime.metrics.stopwatch import Record
    from edgegan.runtime.model.artefact import Artefact
    from edgegan.runtime.model.image import Image

    from .asked import Asked
    from .feed import Feed
    from .start import Start


@dataclass(frozen=True)
class Show:
    """What a model does with each frame of `source`, who steers it, and what files tell of the pictures."""

    model: Session
    source: Source
    process: Process
    controls: Panel
    origin: Origin

    @property
    def about(self) -> str:
        """What runs, in a few words."""
        chosen = self.model.selection
        return f"{chosen.backend} {chosen.device} {self.model.card.precision}"


def open_show(stack: ExitStack, asked: Asked, found: Artefact, start: Start, feed: Feed) -> Show:
    """Opens the model for as long as `stack` is; raises what `Editor.open` or `Sampler.open` does."""
    with _where(asked) as where:
        if found.card.task == "generate":
            return _walking(stack, asked, found, where, start, feed)
        return _editing(stack, asked, found, where, start, feed)


@contextmanager
def _where(asked: Asked) -> Iterator[Loading]:
    from rich.console import Console

    from edgegan.cli._shared.progress import told

    with told(Console(stderr=True)) as tell:
        yield Loading(asked.backend, asked.device, asked.allow_fallback, rebuild=asked.rebuilding, on_progress=tell)


def _editing(stack: ExitStack, asked: Asked, found: Artefact, where: Loading, start: Start, feed: Feed) -> Show:
    """An editor, and the keys of its attributes."""
    from edgegan.runtime.edit.editor import Editor
    from edgegan.runtime.live.controls.attributes import Controls
    from edgegan.runtime.live.controls.easing import Easing
    from edgegan.runtime.live.provenance import EDITED
    from edgegan.runtime.live.sources._frozen import Frozen

    condition = found.card.condition
    start.check(condition)
    faces = msgspec.structs.replace(asked.face_options, beside=feed.newest_wins)
    editor = stack.enter_context(Editor.open(found, **where._asdict(), work_size=asked.work_hw, faces=faces))
    controls = Controls(
        condition.names, condition.groups, start.changes, span=start.span, look=start.look, memory=start.memory
    )
    easing = Easing()
    chosen = controls.look.click, controls.look.faces

    def process(frame: Frame, record: Record) -> Image:
        nonlocal chosen
        image, look = frame.image_bgr, controls.look
        if (look.click, look.faces) != chosen and editor.card.faces:
            chosen = look.click, look.faces
            editor.choose(look.which(faces.which, (image.shape[0], image.shape[1])))
            controls.say(look.who())
        moment_s = feed.moment_s(frame)
        changes = controls.changes if moment_s is None else easing.towards(controls.changes, moment_s)
        return editor.edit(image, changes, timestamp=moment_s, record=record)

    return Show(editor, Frozen(feed.source, controls), process, controls, replace(EDITED, model=editor.card.name))


def _walking(stack: ExitStack, asked: Asked, found: Artefact, where: Loading, start: Start, feed: Feed) -> Show:
    """A sampler, and the keys and sliders of its walk."""
    from edgegan.runtime.generate.sampler import Sampler
    from edgegan.runtime.generate.walk import Walk
    from edgegan.runtime.live.controls.walking import WalkControls
    from edgegan.runtime.live.provenance import GENERATED

    sampler = stack.enter_context(Sampler.open(found, **where._asdict()))
    seed = getattr(feed.source, "seed", 0)
    controls = WalkControls(sampler.width, seed, asked.speed, start.changes, look=start.look, memory=start.memory)
    origin = replace(GENERATED, model=sampler.card.name)
    return Show(sampler, feed.source, Walk(sampler, controls, step_s=feed.step_s), controls, origin)
