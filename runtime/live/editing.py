"""What an editor does with each frame of a live run, steered by the controls."""

from __future__ import annotations

from ..edit.editor import Editor
from ..faces.options import Which
from ..metrics.tally import Record
from ..model.image import Image
from .controls.attributes import Controls
from .controls.easing import Easing
from .frame_clock import FrameClock
from .source import Frame


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
