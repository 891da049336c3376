"""A live session: a source, a model, controls and sinks, run by one call. What `edgegan live` runs, for any program."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from ..checks import check_finite
from ..edit.editor import Editor
from ..errors import InputError
from ..faces.options import Which
from ..generate.sampler import Sampler
from ..generate.walk import Walk
from ..metrics.live import LiveStatistics, LiveTally
from .controls.attributes import Controls
from .controls.lines import Lines
from .controls.panel import Panel
from .controls.walking import WalkControls
from .editing import Editing
from .frame_clock import FrameClock
from .opening import open_parts
from .provenance import EDITED, GENERATED
from .recordings import Recorder
from .screen.compositor import Compositor
from .sink import Sink, Sinks
from .snapshots import Snapshots
from .source import Source
from .stream import Process, Stream
from .wrappers.frozen import Frozen

if TYPE_CHECKING:
    from typing import Self

    from .web import Address, IceServer, WebPage


class LiveSession:
    """Frames of a source, edited or generated, steered by controls, to every sink: the whole live loop.

        with LiveSession.open("model.onnx", source="0", sinks=["out.mp4"], changes={"Smiling": 1.0}) as session:
            print(session.run(seconds=10).summary())

    `controls` may be set from any thread while it runs; `stop` ends the run when it is set; `stats` tells at any time
    how the run goes. Runs once. `source` and `model` stay the caller's to close, the sinks are closed with the session.

    Args:
        source: open.
        model: an open editor, or a sampler: then the source is only the beat of its walk.
        sinks: open, and without a label of their own.
        controls: sliders, keys and the look; None makes those of the model.
        changes: attribute or slider -> value, for the controls that are made here.
        clock: with which the sinks were opened; None takes the source's own.
        faces: those that the editor was opened with.
        mark: draw the visible mark ("AI-edited") into every output.
        hud: draw the status line; None means on screens only.
        files: a folder for the snapshots and recordings that the controls ask for; None makes none.
        snapshot_every_s: also a snapshot every so many seconds.
    """

    def __init__(
        self,
        source: Source,
        model: Editor | Sampler,
        sinks: Iterable[Sink] = (),
        *,
        controls: Panel | None = None,
        changes: Mapping[str, float] | None = None,
        clock: FrameClock | None = None,
        faces: Which = "all",
        mark: bool = True,
        hud: bool | None = None,
        files: Path | None = None,
        snapshot_every_s: float | None = None,
    ) -> None:
        self.source, self.model, self.clock = source, model, clock or FrameClock.of(source)
        self.controls = controls or _controls_of(model, source, changes)
        self.stats = LiveTally()
        self.origin = replace(GENERATED if isinstance(model, Sampler) else EDITED, model=model.card.name)
        self._faces, self._mark = faces, mark
        self._sinks: list[Sink] = []
        self._lines: list[Lines] = []
        self._closing = ExitStack()
        for sink in sinks:
            sink.offer(self.controls)
            self.add(self._compose(sink, hud))
        if files is not None:
            self._add_on_request(files, snapshot_every_s)

    @classmethod
    def open(
        cls,
        model: str | Path | Editor | Sampler | None = None,
        source: str | Source | None = None,
        sinks: Sequence[str] = ("window",),
        *,
        changes: Mapping[str, float] | None = None,
        files: Path | None = None,
        mark: bool = True,
        hud: bool | None = None,
    ) -> LiveSession:
        """Opens what is not open yet, and closes that with the session. Other arguments are the constructor's.

        Args:
            model: a model file, an export or run folder, or one that is open; None: the model that ships.
            source: a SPEC of `open_source`, or a source; None: the synthetic camera, or a generator's own beat.
            sinks: SPECs of `open_sink`; `add` takes a sink of your own.

        Raises what `open_source`, `open_sink` and `Editor.open` do, and InputError for an unknown attribute.
        """
        with ExitStack() as stack:
            opened = open_parts(stack, model, source, sinks)
            session = cls(
                opened.source,
                opened.model,
                opened.sinks,
                changes=changes,
                clock=opened.clock,
                files=files,
                mark=mark,
                hud=hud,
            )
            session._closing.push(stack.pop_all())
        return session

    @property
    def stop(self) -> Event:
        """Ends the run when it is set; the controls' quit key sets it too."""
        return self.controls.stopping

    @property
    def about(self) -> str:
        """What runs, in a few words: backend, device, precision."""
        chosen = self.model.selection
        return f"{chosen.backend} {chosen.device} {self.model.card.precision}"

    def add(self, sink: Sink) -> None:
        """One more sink, which gets the frames as they are edited, with nothing drawn over them."""
        self._sinks.append(sink)
        self._closing.callback(sink.close)

    def obey(self, lines: Iterable[str], answer: Callable[[str], object]) -> None:
        """Takes orders from a text stream, such as stdin; `answer` is told of those that are wrong. See `Lines`."""
        self._lines.append(Lines(lines, self.controls, answer))

    def serve(self, address: Address | None = None, *, ice: Sequence[IceServer] = ()) -> WebPage:
        """Serves the page with the picture, the controls and the figures until the session is closed.

        Raises what opening a `WebPage` does.
        """
        from .web import WebPage

        chosen, card = self.model.selection, self.model.card
        page = WebPage(
            self.controls,
            self.stats,
            {"model": card.name, "backend": chosen.backend, "device": chosen.device, "precision": card.precision},
            address=address,
            open_editor=partial(self.model.another, give_way=True) if isinstance(self.model, Editor) else None,
            faces=self._faces if card.faces else None,
            ice=ice,
            mark=self._mark,
            origin=self.origin,
        )
        self._closing.callback(page.close)
        self._sinks.append(page.sink)
        return page

    def run(self, *, frames: int | None = None, seconds: float | None = None) -> LiveStatistics:
        """Runs until the source ends, `stop` is set, whoever watches has gone, or a limit is reached.

        Args:
            frames: how many are shown at most.
            seconds: of a recording by its own time, of a live source by the clock on the wall.

        Raises what the source, the model and the sinks raise, and InputError for limits that are none. See
        `Stream.run`.
        """
        if frames is not None and check_finite(frames, "frames", "a number from 1") < 1:
            raise InputError(f"{frames} frames were asked for", "a number from 1")
        if seconds is not None and check_finite(seconds, "seconds") <= 0:
            raise InputError(f"{seconds} seconds were asked for", "a number above 0")
        stream = Stream(
            Frozen(self.source, self.controls) if isinstance(self.model, Editor) else self.source,
            self._process(),
            Sinks(self._sinks),
            clock=self.clock,
            stop=self.stop,
            poll=self._poll,
            stats=self.stats,
        )
        return stream.run(max_frames=frames, seconds=seconds).statistics()

    def total(self, frames: int | None, seconds: float | None) -> int | None:
        """How many frames a run with these limits shows at most; None where nobody knows."""
        by_time = None if seconds is None or self.source.live else max(1, round(seconds * self.clock.fps))
        return min((count for count in (frames, by_time, self.source.length) if count), default=None)

    def close(self) -> None:
        """Finishes the sinks and ends the page; may be called twice. The first error is raised after that."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _process(self) -> Process:
        if isinstance(self.model, Sampler) and isinstance(self.controls, WalkControls):
            step_s = None if self.clock.by_timestamp else 1.0 / self.clock.fps
            return Walk(self.model, self.controls, step_s=step_s)
        if isinstance(self.model, Editor) and isinstance(self.controls, Controls):
            return Editing(self.model, self.controls, self.clock, self._faces)
        raise TypeError(f"{type(self.controls).__name__} cannot steer a {type(self.model).__name__}")

    def _poll(self) -> None:
        for lines in self._lines:
            lines.poll()

    def _compose(self, sink: Sink, hud: bool | None) -> Sink:
        return Compositor(
            sink, self.controls, self.stats, hud=hud, mark=self._mark, origin=self.origin, about=self.about
        )

    def _add_on_request(self, files: Path, every_s: float | None) -> None:
        about = {"model": self.model.card.name, "backend": self.about}
        controls, origin = self.controls, self.origin
        self.add(Snapshots(files, controls, every_s=every_s, mark=self._mark, origin=origin, about=about))
        self.add(Recorder(files, controls, self.clock, partial(self._compose, hud=False)))


def _controls_of(model: Editor | Sampler, source: Source, changes: Mapping[str, float] | None) -> Panel:
    """Raises InputError for an attribute or slider that the model does not have, and a value that it cannot take."""
    condition = model.card.condition
    if isinstance(model, Sampler):
        return WalkControls(model.width, source.seed, values=changes, condition=condition)
    return Controls(condition.names, condition.groups, changes)
