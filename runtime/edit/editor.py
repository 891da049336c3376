"""The object other programs embed: pictures in, edited pictures out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np

from ..backends import Backend, Progress, Rebuild
from ..errors import InputError
from ..faces.options import FaceOptions, Which
from ..metrics.tally import CallTally, Record, Statistics
from ..model.artefact import Artefact
from ..model.image import Image, Order, as_bgr, check_out, give_back
from .assembly import assemble
from .loading import Loading, load_for
from .pipeline import Pipeline
from .session import Behind, Session, Turns

_WARM_HW = (720, 1280)


class Editor(Session):
    """Edits whole frames or single crops with one model, on one backend.

    Threads: every method may be called from any thread; calls take turns on one lock. For calls side by side there
    is `EditorPool`, and for asyncio `AsyncEditor`. An editor follows the faces of one video at a time: its frames
    come in order, with rising timestamps; `another` follows a second one.
    Buffers: pictures are (H, W, 3) uint8 in BGR order, as OpenCV has them, or in RGB with `colour="rgb"`, in any
    strides; grey ones and those with an alpha channel are converted. They are read during the call only and never
    changed. What is returned belongs to the caller, and is `out` where that is given; `out` may be the picture
    itself. After an error, what `out` holds is undefined.
    It has no global state, prints nothing, installs no signal handlers and needs no torch.
    """

    _name = "Editor"

    def __init__(self, pipeline: Pipeline, backend: Backend, notices: tuple[str, ...] = ()) -> None:
        super().__init__(pipeline.card, backend, notices)
        self._pipeline = pipeline
        self._tally = CallTally()

    @classmethod
    def open(
        cls,
        path: str | Path | Artefact | None = None,
        *,
        backend: str = "auto",
        device: str = "auto",
        allow_fallback: bool = False,
        threads: int | None = None,
        work_size: tuple[int, int] | None = None,
        faces: FaceOptions | None = None,
        rebuild: Rebuild = "never",
        on_progress: Progress | None = None,
    ) -> Editor:
        """Opens a model file, an export folder, a run folder or a model that comes with edgegan.

        Args:
            path: `model.onnx`, OpenVINO's `.xml`, TensorRT's `.engine`, `.mnn`, ncnn's `.param`, `.tflite`, a folder
                that holds `model.onnx`, what `artefact.load` made of one, or, where nothing lies at that path, the name
                of a model that comes with edgegan, such as "avatars"; None takes the one that ships for cameras.
            backend: "auto", or one of `edgegan.runtime.backends.BACKENDS`.
            device: "auto", "cpu", "cuda", "cuda:1", "gpu" or "npu" (the last two through OpenVINO).
            allow_fallback: take another backend or device, with a notice, when the wanted one is not there.
            threads: CPU threads of the network; None leaves it to the backend.
            work_size: (height, width) at which whole frames go through the network; None chooses one of each frame's
                own shape with about as many pixels as the model was trained on. See `align.work_size`.
            faces: which faces are edited, and how they are followed and put back; None takes the defaults.
            rebuild: "auto" builds an engine that was made for another machine again for this one, from the ONNX file
                beside it, into the per-user cache; "never" refuses it. It needs the gpu or rtx extra, no torch.
            on_progress: called during such a build with (what, steps done, steps in all), perhaps from another thread.

        Raises:
            InputError: no such file, not a model, a model that edits no pictures, a work size it cannot have, or no
                such choice of faces.
            CardError: the card is missing, or disagrees with the model.
            BackendError: the backend or device is not there, or failed verification.
        """
        model = load_for("translate", path)
        loading = Loading(backend, device, allow_fallback, threads, rebuild, on_progress)
        return cls(*assemble(model, loading.network, loading.helper, work_size=work_size, faces=faces))

    def edit(
        self,
        frame: Image,
        changes: Mapping[str, float],
        *,
        timestamp: float | None = None,
        colour: Order = "bgr",
        out: Image | None = None,
        record: Record | None = None,
    ) -> Image:
        """The frame with its faces edited (or the whole frame, for models that know no faces).

        Args:
            frame: (H, W, 3) uint8, of any size. A grey picture, or one with an alpha channel, is converted.
            changes: what to change, by the card's condition names: 1 turns on, 0 turns off, between is partial.
                What is not named stays as the classifier finds it on each face; for no change at all a model with
                names does not run, and the frame comes back as it was. The model runs as often as
                `Condition.vectors` says: for some once for each change.
            timestamp: of a frame of a video, in seconds from any beginning: faces and their labels are then followed
                and smoothed from frame to frame, and fade in and out as they come and go (see `Tracker`). One
                that does not rise begins another video. None: a picture that stands alone.
            colour: the order of the channels, "bgr" or "rgb", of the frame and of what is returned.
            out: a (H, W, 3) uint8 array to write into, such as a shared buffer; it may be the frame itself.
            record: called with (stage, seconds) for each of `tally.STAGES`, once a frame.

        Returns:
            `out`, or a new (H, W, 3) uint8 array. A frame in which no face is found comes back unchanged.

        Raises:
            InputError: no picture, another `out` than the picture needs, an attribute that the model does not know, a
                timestamp or a change that is no finite number, or another process than the one that opened the editor.
            BackendError: the device failed.
        """
        with self._call(frames=1, record=record) as noted:
            return self._pipeline.edit(frame, changes, timestamp=timestamp, colour=colour, out=out, record=noted)

    def edit_batch(
        self, frames: Sequence[Image], changes: Mapping[str, float], *, colour: Order = "bgr"
    ) -> list[Image]:
        """Several pictures, each standing alone, with the same changes; as many as there are frames come back.

        Their faces, or the frames themselves where those have one size, go through the network as many at a time as
        `card.batch` allows, else in turn. Each comes out as `edit` would give it.
        """
        with self._call(frames=len(frames)) as noted:
            return self._pipeline.edit_batch(frames, changes, colour=colour, record=noted)

    def choose(self, which: Which) -> None:
        """Edits other faces from now on: "all", "largest", the N largest, or the one nearest to (x, y) pixels.

        The face nearest to a place is followed where it goes. Raises InputError for anything else.
        """
        with self._turn():
            self._pipeline.choose(which)

    def translate(
        self,
        crop: Image,
        changes: Mapping[str, float],
        label: Mapping[str, float] | None = None,
        *,
        colour: Order = "bgr",
        out: Image | None = None,
    ) -> Image:
        """One crop through the network: no face search, no blending.

        Args:
            crop: (H, W, 3) uint8. A network of a fixed size takes that size alone, InputError otherwise;
                for one whose sides are multiples of n, the crop is mirrored on at the right and below up to the
                next multiple, and what comes back is cut to the crop's own size.
            changes: as in `edit`; so are `colour` and `out`.
            label: the crop's own labels, where they are known; None estimates them.
        """
        with self._call(crops=1) as noted:
            given = as_bgr(crop, colour)
            if out is not None:
                check_out(out, (given.shape[0], given.shape[1]))
            known = self._pipeline.labels.current(given) if label is None else label
            return give_back(self._pipeline.translate(given, known, changes, record=noted), colour, out)

    def estimate(self, crop: Image, *, colour: Order = "bgr") -> dict[str, float]:
        """How likely each attribute is on this crop, in [0, 1]; the card's default label without a classifier."""
        with self._turn():
            return self._pipeline.labels.estimate(as_bgr(crop, colour))

    def warm_up(self, frame_hw: tuple[int, int] = _WARM_HW) -> float:
        """Runs everything once on a grey frame of `frame_hw`, so that the first real one need not wait.

        Libraries load and memory is taken on first use. Returns the seconds it took; `statistics` leaves it out.
        """
        began = time.perf_counter()
        frame = np.full((*frame_hw, 3), 127, np.uint8)
        with self._turn():
            self._pipeline.edit(frame, self._some_change())
            if self.card.faces:  # a grey frame has none, so that only the search has run
                crop = np.full((*self._pipeline.size.hw, 3), 127, np.uint8)
                self._pipeline.translate(crop, self._pipeline.labels.estimate(crop), self._some_change())
        return time.perf_counter() - began

    @property
    def statistics(self) -> Statistics:
        """How many pictures and failures, faces left alone, p50 and p95 of every stage; may be read at any time."""
        self._owner.check()
        return msgspec.structs.replace(self._tally.statistics(), left_alone=self._pipeline.left_alone)

    def reset(self) -> None:
        """Forgets the faces seen so far: call it between two videos."""
        self._owner.check()
        with self._lock:
            self._pipeline.reset()

    def another(self, *, give_way: bool = False) -> Editor:
        """An editor for another video: it follows faces of its own and shares the loaded models with this one, on
        which its calls take turns. Closing it leaves this one open; once this one is closed, it is too.

        give_way: its calls let this one's go first, as `session.Turns` says: for guests beside a live stream.
        """
        with self._turn():
            return _Another(self, self._pipeline.another(), self._lock.behind if give_way else self._lock)

    @contextmanager
    def _call(self, *, frames: int = 0, crops: int = 0, record: Record | None = None) -> Iterator[Record]:
        """One turn, counted: gives what to record its stages with."""

        def note(stage: str, seconds: float) -> None:
            self._tally.record(stage, seconds)
            if record is not None:
                record(stage, seconds)

        began = time.perf_counter()
        with self._turn():
            self._tally.record("wait", time.perf_counter() - began)
            with self._tally.call(frames=frames, crops=crops):
                yield note

    def _some_change(self) -> dict[str, float]:
        """One that makes a jointly trained model run, which rests where nothing changes."""
        return dict.fromkeys(self.card.condition.names[:1], 1.0)

    def _free(self) -> None:
        self._pipeline.close()
        self._pipeline.labels.close()
        self._backend.close()


class _Another(Editor):
    """What `Editor.another` gives; `lock` is one of its own where the models can be used side by side."""

    def __init__(self, first: Editor, pipeline: Pipeline, lock: Turns | Behind) -> None:
        super().__init__(pipeline, first._backend, notices=first.notices)
        self._first, self._lock = first, lock

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with super()._turn():
            if self._first._closed:
                raise InputError("the editor that this one shares its models with is closed")
            yield

    def _free(self) -> None:
        self._pipeline.close()
