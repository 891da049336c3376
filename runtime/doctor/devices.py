"""What runs a network, gives pictures and shows them here; and what would be chosen, and why."""

from __future__ import annotations

from collections.abc import Iterator

from ..backends import BACKENDS, backend_class, describe_library, open_backend
from ..errors import EdgeganError
from ..model import artefact
from ..shipped import default_model
from .finding import Finding
from .gpu import is_here


def backends() -> Iterator[Finding]:
    """Each backend: its version and devices, or why it cannot run."""
    for name in BACKENDS:
        try:
            yield Finding(topic="backend", name=name, status="ok", text=describe_library(name))
        except EdgeganError as error:
            if backend_class(name).devices == ("cuda",) and not is_here():
                yield Finding(topic="backend", name=name, status="note", text=f"wants an NVIDIA GPU; {error.seen}")
            else:
                yield Finding(topic="backend", name=name, status="missing", text=error.seen, todo=error.todo)


def cameras() -> Iterator[Finding]:
    """Each camera by the --source that opens it."""
    from ..live.sources import camera

    found = camera.cameras()
    for number, name in found.items():
        yield Finding(topic="camera", name=f"--source {number}", status="ok", text=name)
    if not found:
        text = "none found; --source synthetic and video files need none"
        yield Finding(topic="camera", name="cameras", status="note", text=text)


def display() -> Iterator[Finding]:
    """Whether a window can be opened."""
    from ..live.sinks.window import check_display

    try:
        check_display()
    except EdgeganError as error:
        yield Finding(topic="display", name="window", status="note", text=error.seen, todo=error.todo)
    else:
        yield Finding(topic="display", name="window", status="ok", text="windows can be opened")


def model() -> Iterator[Finding]:
    """The model that ships: what would run it here, why, and why not the others."""
    try:
        shipped = artefact.load(default_model())
        with open_backend(shipped) as opened:
            (first, *others), notices = opened.selection.lines(), opened.selection.notices
    except EdgeganError as error:
        yield Finding(topic="model", name="shipped model", status="missing", text=error.seen, todo=error.todo)
        return
    yield Finding(topic="model", name="shipped model", status="ok", text=f"would run with {first}")
    for line in (*others, *notices):
        yield Finding(topic="model", name="", status="note", text=line)
