"""What `edgegan live` does with each frame, and who steers it: an editor, or a generator's walk."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgegan.runtime.errors import InputError

if TYPE_CHECKING:
    from edgegan.runtime.artefact import Artefact
    from edgegan.runtime.card import ModelCard
    from edgegan.runtime.controls import Panel
    from edgegan.runtime.session import Session
    from edgegan.runtime.sources import Source
    from edgegan.runtime.stream import Process


@dataclass(frozen=True)
class Show:
    """What a model does with each frame, and who steers it."""

    model: Session
    process: Process
    controls: Panel
    mark: str


def editing(
    stack: ExitStack,
    found: Artefact,
    where: tuple[str, str, bool],
    changes: dict[str, float],
    side_by_side: bool,
    work_size: tuple[int, int] | None,
) -> Show:
    """An editor, and the keys of its attributes."""
    from edgegan.runtime.controls import Controls
    from edgegan.runtime.editor import Editor
    from edgegan.runtime.hud import EDITED

    for name, value in changes.items():
        if not 0.0 <= value <= 1.0:
            raise InputError(f"--set {name}={value:g} cannot be", "a value from 0 (off) to 1 (on)")
    backend, device, fallback = where
    editor = stack.enter_context(
        Editor.open(found, backend=backend, device=device, allow_fallback=fallback, work_size=work_size)
    )
    _check_changes(editor.card, changes)
    condition = editor.card.condition
    controls = Controls(condition.names, condition.groups, changes, side_by_side=side_by_side)
    return Show(editor, lambda image, record: editor.edit(image, controls.changes, record=record), controls, EDITED)


def walking(
    stack: ExitStack,
    found: Artefact,
    where: tuple[str, str, bool],
    changes: dict[str, float],
    source: Source,
    speed: float,
    step_s: float | None,
) -> Show:
    """A sampler, and the keys and sliders of its walk."""
    from edgegan.runtime.hud import GENERATED
    from edgegan.runtime.sampler import Sampler
    from edgegan.runtime.walk import Walk, WalkControls

    backend, device, fallback = where
    sampler = stack.enter_context(Sampler.open(found, backend=backend, device=device, allow_fallback=fallback))
    controls = WalkControls(sampler.width, getattr(source, "seed", 0), speed, changes)
    return Show(sampler, Walk(sampler, controls, step_s=step_s), controls, GENERATED)


def refuse_for_generators(source_spec: str, size: str | None, work_size: str | None, side_by_side: bool) -> None:
    """A generator takes no pictures: raises InputError for an option that says otherwise."""
    from edgegan.runtime.sources import latent

    for given, why in (
        (not latent.accepts(source_spec) and f"--source {source_spec}", "its source is latent[@FPS][#SEED]"),
        (size and f"--size {size}", "its pictures have one size"),
        (work_size and f"--work-size {work_size}", "its pictures have one size"),
        (side_by_side and "--side-by-side", "there is no picture before"),
    ):
        if given:
            raise InputError(f"{given} was given for a generator", f"it draws pictures and takes none: {why}")


def _check_changes(card: ModelCard, changes: dict[str, float]) -> None:
    card.condition.apply({}, changes)
    for group in card.condition.groups:
        on = [name for name in group if changes.get(name, 0.0) > 0.0]
        if len(on) > 1:
            raise InputError(f"{' and '.join(on)} exclude each other", todo="set one of them")
