"""What `edgegan live` does with each frame, and who steers it: an editor, or a generator's walk."""

from __future__ import annotations

import math
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from edgegan.runtime.errors import InputError

if TYPE_CHECKING:
    from edgegan.runtime.artefact import Artefact
    from edgegan.runtime.backends import Progress, Rebuild
    from edgegan.runtime.card import ModelCard
    from edgegan.runtime.image import Image
    from edgegan.runtime.panel import Panel
    from edgegan.runtime.pipeline import FaceOptions
    from edgegan.runtime.provenance import Origin
    from edgegan.runtime.session import Session
    from edgegan.runtime.sources import Source
    from edgegan.runtime.stream import Process, Record

    from ._steering import Start


class Where(NamedTuple):
    """What runs a model; the names are those of `Editor.open`."""

    backend: str = "auto"
    device: str = "auto"
    allow_fallback: bool = False
    rebuild: Rebuild = "never"
    on_progress: Progress | None = None


@dataclass(frozen=True)
class Show:
    """What a model does with each frame, and who steers it."""

    model: Session
    process: Process
    controls: Panel
    origin: Origin


def editing(
    stack: ExitStack,
    found: Artefact,
    where: Where,
    start: Start,
    work_size: tuple[int, int] | None,
    faces: FaceOptions,
    step_s: float | None,
) -> Show:
    """An editor, and the keys of its attributes.

    `step_s` is from one frame to the next: None takes the clock's, and `math.inf` means pictures that stand alone.
    """
    from edgegan.runtime.controls import Controls
    from edgegan.runtime.easing import EASE_S, Easing
    from edgegan.runtime.editor import Editor
    from edgegan.runtime.provenance import EDITED

    from ._steering import check_value

    for name, value in start.changes.items():
        check_value(name, value, start.span)
    editor = stack.enter_context(Editor.open(found, **where._asdict(), work_size=work_size, faces=faces))
    _check_changes(editor.card, start.changes)
    condition = editor.card.condition
    controls = Controls(
        condition.names, condition.groups, start.changes, span=start.span, look=start.look, memory=start.memory
    )
    moments = count()
    alone = step_s == math.inf
    easing = Easing(0.0 if alone else EASE_S)
    click = controls.look.click

    def process(image: Image, record: Record) -> Image:
        nonlocal click
        if controls.look.click != click and editor.card.faces:
            click = controls.look.click
            editor.choose(faces.which if click is None else (click[0] * image.shape[1], click[1] * image.shape[0]))
            controls.say("all faces as at first" if click is None else "the face you clicked; backspace undoes it")
        timestamp = time.monotonic() if step_s is None else next(moments) * step_s if not alone else 0.0
        changes = easing.towards(controls.changes, timestamp)
        return editor.edit(image, changes, timestamp=None if alone else timestamp, record=record)

    return Show(editor, process, controls, replace(EDITED, model=editor.card.name))


def walking(
    stack: ExitStack,
    found: Artefact,
    where: Where,
    start: Start,
    source: Source,
    speed: float,
    step_s: float | None,
) -> Show:
    """A sampler, and the keys and sliders of its walk."""
    from edgegan.runtime.provenance import GENERATED
    from edgegan.runtime.sampler import Sampler
    from edgegan.runtime.walk import Walk, WalkControls

    sampler = stack.enter_context(Sampler.open(found, **where._asdict()))
    seed = getattr(source, "seed", 0)
    controls = WalkControls(sampler.width, seed, speed, start.changes, look=start.look, memory=start.memory)
    origin = replace(GENERATED, model=sampler.card.name)
    return Show(sampler, Walk(sampler, controls, step_s=step_s), controls, origin)


def refuse_for_generators(source_spec: str, size: str | None, work_size: str | None, view: str | None) -> None:
    """A generator takes no pictures: raises InputError for an option that says otherwise."""
    from edgegan.runtime.sources import latent

    for given, why in (
        (not latent.accepts(source_spec) and f"--source {source_spec}", "its source is latent[@FPS][#SEED]"),
        (size and f"--size {size}", "its pictures have one size"),
        (work_size and f"--work-size {work_size}", "its pictures have one size"),
        (view not in (None, "after") and f"--view {view}", "there is no picture before"),
    ):
        if given:
            raise InputError(f"{given} was given for a generator", f"it draws pictures and takes none: {why}")


def face_options(which: str, *, smooth: bool, colour_match: bool, guard: bool, beside: bool) -> FaceOptions:
    """What the options of the command line say of faces; raises InputError if `which` names none."""
    from edgegan.runtime.pipeline import FaceOptions
    from edgegan.runtime.tracking import checked

    try:
        chosen = checked(int(which) if which.isdecimal() else which)
    except InputError:
        raise InputError(f"--faces {which} cannot be read", "all, largest, or a number from 1") from None
    return FaceOptions(which=chosen, smooth=smooth, beside=beside, colour_match=colour_match, guard=guard)


def _check_changes(card: ModelCard, changes: dict[str, float]) -> None:
    card.condition.apply({}, changes)
    for group in card.condition.groups:
        on = [name for name in group if changes.get(name, 0.0) > 0.0]
        if len(on) > 1:
            raise InputError(f"{' and '.join(on)} exclude each other", todo="set one of them")
