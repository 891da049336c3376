"""What an editor does with each frame of a live run, steered by the controls, whose changes come in smoothly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..edit.editor import Editor
from ..faces.options import Which
from ..metrics.tally import Record
from ..model.condition import Partly
from ..model.image import Image
from .controls.attributes import Controls
from .frame_clock import FrameClock
from .source import Frame

EASE_S = 0.25


@dataclass(frozen=True)
class _Path:
    """The way of one attribute from (value, share) at `began` to `target`; None means back to the face's own."""

    value: float
    share: float
    target: float | None
    began: float

    def at(self, now: float, seconds: float) -> tuple[float, float]:
        """(value, share) at a moment; the share is how far it replaces the face's own label."""
        t = min(max((now - self.began) / seconds, 0.0), 1.0) if seconds > 0 else 1.0
        t = t * t * (3.0 - 2.0 * t)
        if self.target is None:
            return self.value, self.share * (1.0 - t)
        begin = self.value if self.share > 0 else self.target
        return begin + t * (self.target - begin), self.share + t * (1.0 - self.share)


class Easing:
    """Follows the wanted changes within `seconds`. The first ones hold at once. For one thread.

    A change that comes in or goes away does so as a share of the way from the face's own label, which each face has
    for itself; see `condition.Partly`.
    """

    def __init__(self, seconds: float = EASE_S) -> None:
        self._seconds = seconds
        self._paths: dict[str, _Path] | None = None

    def towards(self, wanted: Mapping[str, float], now: float) -> Mapping[str, float]:
        """What to ask of the editor at the moment `now`, in monotonic seconds."""
        if self._seconds <= 0:
            return wanted
        if self._paths is None:
            self._paths = {name: _Path(value, 1.0, value, now) for name, value in wanted.items()}
        eased: dict[str, float] = {}
        for name in [*self._paths, *(n for n in wanted if n not in self._paths)]:
            path = self._paths.get(name, _Path(0.0, 0.0, None, now))
            target = wanted.get(name)
            if target != path.target:
                path = _Path(*path.at(now, self._seconds), target, now)
            value, share = path.at(now, self._seconds)
            if target is None and share <= 0.0:
                self._paths.pop(name, None)
                continue
            self._paths[name] = path
            if share > 0.0:
                eased[name] = value if share >= 1.0 else Partly(value, share)
        return eased


class Editing:
    """Edits each frame by the attributes and the choice of faces that the controls hold; a `Process` of `Stream`.

    Args:
        editor: open; stays the caller's to close.
        controls: changes ease in by the clock, and a click chooses a face.
        clock: of the stream.
        faces: those that the editor edits at first.
    """

    def __init__(self, editor: Editor, controls: Controls, clock: FrameClock, faces: Which = "all") -> None:
        self._editor, self._controls, self._clock, self._faces = editor, controls, clock, faces
        self._easing = Easing()
        self._chosen = controls.look.click, controls.look.faces

    def __call__(self, frame: Frame, record: Record) -> Image:
        """The edited picture, (H, W, 3) uint8 BGR, a new array."""
        image, controls = frame.image_bgr, self._controls
        self._choose(image)
        moment_s = self._clock.edit_s(frame)
        changes = controls.changes if moment_s is None else self._easing.towards(controls.changes, moment_s)
        return self._editor.edit(image, changes, timestamp=moment_s, record=record)

    def _choose(self, image: Image) -> None:
        """Tells the editor when other faces were chosen, and says so."""
        look = self._controls.look
        if (look.click, look.faces) != self._chosen and self._editor.card.faces:
            self._chosen = look.click, look.faces
            self._editor.choose(look.which(self._faces, (image.shape[0], image.shape[1])))
            self._controls.say(look.who())
