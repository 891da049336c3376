"""Faces over time: who is who, where each one is now, and how strongly its edit shows.

A face is carried from frame to frame by optical flow and corrected by what the detector finds; the corrections go
through a One-Euro filter. So tracks neither jitter, as detections do, nor lag, as smoothed positions do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ..checks import check_finite
from ..model.image import Halves, Image
from ..types import Float64Array
from . import Face
from .flow import Flow, move
from .landmarks import USUAL, WIDER, OneEuro, Refusal, centre_of, face_of, iou, places_of, refuse_pose
from .options import Which, check_which
from .tiles import Tile

HOLD_S, FADE_S, APPEAR_S = 0.2, 0.3, 0.2
_FORGET_S = 1.0  # a face that comes back later is somebody new
_SAME_FACE = 0.3  # IoU of a face's boxes
_REACH = 1.0  # how far from a place a face's middle may be to be meant, in sizes of that face
_STAYS = 1.25  # how much larger another face has to be before it takes the place of the chosen one
_MIN_CUTOFF_HZ, _BETA = 0.25, 0.5  # of corrections; beta adds Hz for each face size a second
_PAST = 64  # frames that a late detection may be behind


class Sighting(NamedTuple):
    """What a search found in the frame of one moment, and how long it took.

    `tiles` are the parts that were searched for faces below `small` pixels; None: all of the frame was.
    """

    timestamp: float
    faces: Sequence[Face]
    seconds: float = 0.0
    tiles: Sequence[Tile] | None = None
    small: float = 0.0  # pixels

    def covers(self, face: Face) -> bool:
        """Whether a face at this place would have been found."""
        all_seen = self.tiles is None or max(face.box[2:]) >= self.small
        return all_seen or any(tile.holds(face.box) for tile in self.tiles or ())


@dataclass(eq=False)
class Track:
    """One person's face. `number` counts the faces of a tracker from 1; `strength` is the edit's share, in [0, 1]."""

    number: int
    face: Face
    strength: float = 1.0
    sudden: bool = False  # came with a new scene, and is painted at once
    chosen: bool = False
    sightings: int = 1
    refusal: Refusal | None = None  # why it is left alone
    accepted: bool = True  # it was edited, or could have been, at some time
    contrary_at: float = np.inf  # since when sightings say otherwise
    seen_at: float = 0.0
    lost_at: float = np.inf  # when the first search of a later frame that did not find it was known
    smoother: OneEuro = field(default_factory=lambda: OneEuro(_MIN_CUTOFF_HZ, _BETA))
    past: deque[tuple[float, Float64Array]] = field(default_factory=lambda: deque(maxlen=_PAST))

    def where(self, timestamp: float) -> Float64Array:
        """The places at that moment: of the last frame that is not later, or the earliest known."""
        return next((places for when, places in reversed(self.past) if when <= timestamp), self.past[0][1])


class Tracker:
    """Follows the faces of one video. Not thread-safe.

    A face is painted from its second sighting on and fades in over 0.2 s. One that a search does not find any more
    stays for 0.2 s and then fades out over 0.3 s, carried on by flow; after 1 s it is forgotten. Without a search no
    face is lost, however far apart the frames are. The faces of the first sighting, and of the first after a cut,
    show at once. Identity is kept by the overlap of boxes.

    A face that lies, is upside down or turned far away (`refuse_pose`) is left alone; see `refusals`. It comes to
    that, and back, when sightings of 0.2 s agree, and with wider limits for a face that is painted.

    Args:
        which: the faces to paint: "all", "largest", the N largest, or the one nearest to a place (x, y) in pixels and
            no further from it than the face is large. The place then moves with that face, and no other face takes
            its part before it is forgotten. May be changed at any time.
        smooth: filter the landmarks; else each detection is taken as it is.
        any_pose: paint also faces that are turned.

    Raises:
        InputError: `which` is none of these.
    """

    def __init__(self, which: Which = "all", *, smooth: bool = True, any_pose: bool = False) -> None:
        self.which = which
        self._smooth, self._any_pose = smooth, any_pose
        self.reset()

    @property
    def which(self) -> Which:
        """The faces to paint."""
        return self._which

    @which.setter
    def which(self, which: Which) -> None:
        """Chooses other faces; a place begins with the face that is nearest to it. Raises InputError as `Tracker`."""
        self._which = check_which(which)
        self._meant: int | None = None  # the number of the face at the place

    def reset(self) -> None:
        """Forgets everything: another video begins."""
        self._flow = Flow()
        self._tracks: list[Track] = []
        self._count = 0
        self._meant = None
        self._now: float | None = None
        self._since = -np.inf  # what was seen before belongs to another scene
        self._fresh = True  # no sighting in this scene yet
        self.refusals: list[Refusal] = []  # of the faces of the last frame that are left alone

    def follow(self, frame_bgr: Image | Halves, timestamp: float, sightings: Iterable[Sighting]) -> list[Track]:
        """The faces to paint in this frame, the longest known first.

        Args:
            frame_bgr: (H, W, 3) uint8. Frames come in order.
            timestamp: of the frame, in seconds. One that does not rise begins another video.
            sightings: searches that ended since the last call, of this frame or earlier ones; there may be none.

        Raises InputError for a timestamp that is no finite number.
        """
        timestamp = check_finite(timestamp, "the timestamp", "seconds from any beginning")
        if self._now is not None and timestamp <= self._now:
            self.reset()
        passed = 0.0 if self._now is None else timestamp - self._now
        self._now = timestamp
        self._carry(frame_bgr, timestamp)
        for sighting in sightings:
            if sighting.timestamp >= self._since:
                self._correct(sighting)
        self._tracks = [t for t in self._tracks if timestamp - t.lost_at <= _FORGET_S]
        here = [t for t in self._tracks if timestamp - t.lost_at <= HOLD_S]
        self.refusals = [t.refusal for t in here if t.refusal is not None]
        faces = [t for t in here if t.accepted]
        chosen = self._at_place(faces) if isinstance(self._which, tuple) else choose(faces, self._which)
        for track in self._tracks:
            track.chosen = track in chosen and track.refusal is None
            if track.sudden:
                track.strength, track.sudden = float(track.chosen), False
            elif not track.chosen:
                track.strength = max(0.0, track.strength - passed / FADE_S)
            elif track.sightings > 1:
                track.strength = min(1.0, track.strength + passed / APPEAR_S)
        return [t for t in self._tracks if t.strength > 0.0]

    def _at_place(self, here: Sequence[Track]) -> list[Track]:
        """The face that was at the place, for as long as it is remembered; only then one that is there now."""
        known = [t for t in self._tracks if t.number == self._meant] or choose(here, self._which)
        for track in known:
            self._meant, self._which = track.number, centre_of(track.face)
        return [track for track in known if track in here]

    def _carry(self, frame: Image | Halves, timestamp: float) -> None:
        """Moves every face as the picture around it moved."""
        if not self._flow.see(frame):  # a cut
            self._tracks, self._since, self._fresh = [], timestamp, True
        for track in self._tracks:
            places = track.where(timestamp)
            motion = self._flow.motion(places[:2])
            if motion is not None:
                places = move(places, motion)
                if track.smoother.value is not None:
                    track.smoother.value = places
            self._put(track, places, timestamp)

    def _correct(self, sighting: Sighting) -> None:
        """Gives each detection to the face it overlaps most, the closest pairs first; what is left is new."""
        found = {index: places_of(face) for index, face in enumerate(sighting.faces)}
        pairs = [
            (iou(track.where(sighting.timestamp), places), index, track)
            for track in self._tracks
            for index, places in found.items()
        ]
        free = set(self._tracks)
        for overlap, index, track in sorted(pairs, key=lambda p: (-p[0], p[1], p[2].number)):
            if overlap >= _SAME_FACE and index in found and track in free:
                free.remove(track)
                self._judge(track, sighting.faces[index], sighting.timestamp)
                self._see(track, found.pop(index), sighting)
        assert self._now is not None
        for track in free:
            if sighting.timestamp > track.seen_at and sighting.covers(track.face):
                track.lost_at = min(track.lost_at, self._now)
        for index, places in found.items():
            self._count += 1
            track = Track(self._count, sighting.faces[index], 0.0, self._fresh, seen_at=sighting.timestamp)
            track.refusal = None if self._any_pose else refuse_pose(track.face)
            track.accepted = track.refusal is None
            track.smoother(places, 1.0)
            track.past.append((sighting.timestamp, places))
            self._tracks.append(track)
        self._fresh = False

    def _see(self, track: Track, places: Float64Array, sighting: Sighting) -> None:
        """A face was found again: perhaps in an earlier frame, so it is first brought to this one."""
        assert self._now is not None
        now = track.where(self._now)
        places = places + (now - track.where(sighting.timestamp))
        if self._smooth:
            size = float(np.sqrt(max(1.0, np.prod(now[1] - now[0]))))
            places = track.smoother(places, max(1e-3, sighting.timestamp - track.seen_at), size)
        track.sightings += 1
        track.seen_at, track.lost_at = max(track.seen_at, sighting.timestamp), np.inf
        self._put(track, places, self._now)

    def _judge(self, track: Track, face: Face, timestamp: float) -> None:
        """Leaves a face alone from now on, or no more, when what it was seen as has lasted."""
        if self._any_pose:
            return
        painted = track.refusal is None
        refusal = refuse_pose(face, WIDER if painted else USUAL)
        if painted == (refusal is None):
            track.refusal, track.contrary_at = refusal, np.inf
            return
        track.contrary_at = min(track.contrary_at, timestamp)
        if timestamp - track.contrary_at >= HOLD_S:
            track.refusal, track.contrary_at = refusal, np.inf
            track.accepted = track.accepted or refusal is None

    def _put(self, track: Track, places: Float64Array, timestamp: float) -> None:
        if track.past and track.past[-1][0] == timestamp:
            track.past.pop()
        track.past.append((timestamp, places))
        track.face = face_of(places, track.face.score)


def choose(tracks: Sequence[Track], which: Which) -> list[Track]:
    """The faces that `which` names; who is chosen already stays unless another is clearly larger."""
    if which == "all":
        return list(tracks)
    if isinstance(which, tuple):
        far = {t: float(np.hypot(*np.subtract(centre_of(t.face), which))) for t in tracks}
        near = [t for t in tracks if far[t] <= _REACH * max(t.face.box[2:])]
        return sorted(near, key=lambda t: (far[t], t.number))[:1]
    most = which if isinstance(which, int) else 1
    return sorted(tracks, key=lambda t: (-t.face.box[2] * t.face.box[3] * _STAYS**t.chosen, t.number))[:most]
