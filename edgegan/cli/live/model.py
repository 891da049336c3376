"""The model of a live run, and the controls that steer it, as the command line asks for them."""

from __future__ import annotations

from contextlib import ExitStack

import msgspec
from rich.console import Console

from edgegan.cli._shared.progress import show_progress
from edgegan.runtime.edit.editor import Editor
from edgegan.runtime.edit.loading import Loading
from edgegan.runtime.generate.sampler import Sampler
from edgegan.runtime.live.controls.attributes import Controls
from edgegan.runtime.live.controls.panel import Panel
from edgegan.runtime.live.controls.walking import WalkControls
from edgegan.runtime.live.source import Source
from edgegan.runtime.model.artefact import Artefact

from .asked import Asked
from .start import Start


def open_model(
    stack: ExitStack, asked: Asked, found: Artefact, start: Start, source: Source, *, beside: bool
) -> tuple[Editor | Sampler, Panel]:
    """Opens the model for as long as `stack` is, with its controls where they begin.

    `beside`: faces are searched for in a thread of their own. Raises what `Editor.open` or `Sampler.open` does, and
    InputError for settings that the model cannot have.
    """
    generates = found.card.task == "generate"
    if not generates:
        start.check(found.card.condition)
    with show_progress(Console(stderr=True)) as tell:
        where = Loading(asked.backend, asked.device, asked.allow_fallback, rebuild=asked.rebuilding, on_progress=tell)
        if generates:
            sampler = stack.enter_context(Sampler.open(found, **where._asdict()))
            return sampler, WalkControls(
                sampler.width,
                source.seed,
                asked.speed,
                start.changes,
                condition=found.card.condition,
                look=start.look,
                memory=start.memory,
            )
        faces = msgspec.structs.replace(asked.face_options, beside=beside)
        editor = stack.enter_context(Editor.open(found, **where._asdict(), work_size=asked.work_hw, faces=faces))
    condition = found.card.condition
    return editor, Controls(
        condition.names, condition.groups, start.changes, span=start.span, look=start.look, memory=start.memory
    )
