"""Faces over time: steadiness, identity, and what is painted when."""

import threading
import time

import cv2
import numpy as np
import pytest

from edgegan.runtime.errors import InputError
from edgegan.runtime.faces import Face, FaceFinder
from edgegan.runtime.flow import Flow, moved
from edgegan.runtime.lookout import Lookout
from edgegan.runtime.smoothing import OneEuro
from edgegan.runtime.sources.synthetic import Synthetic
from edgegan.runtime.tracking import APPEAR_S, FADE_S, HOLD_S, Sighting, Tracker

STEP_S = 1 / 30


def face_at(x, y, size=60.0, score=0.9):
    eyes = [(x + share * size, y + 0.35 * size) for share in (0.3, 0.7)]
    return Face(box=(x, y, size, size), score=score, left_eye=eyes[0], right_eye=eyes[1])


def texture(height=240, width=320, seed=0):
    small = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def shifted(picture, x, y):
    matrix = np.array([[1, 0, x], [0, 1, y]], np.float64)
    return cv2.warpAffine(picture, matrix, picture.shape[1::-1], borderMode=cv2.BORDER_REFLECT)


STILL = texture()


def run(tracker, faces_of_frames, frame=STILL, start=0):
    """The tracks of each frame; a frame whose faces are None is not searched."""
    answers = []
    for number, faces in enumerate(faces_of_frames, start=start):
        now = number * STEP_S
        seen = [] if faces is None else [Sighting(now, faces)]
        tracks = tracker.follow(frame, now, seen)
        answers.append([(t.number, t.face, t.strength) for t in tracks])
    return answers


# One-Euro


def test_a_one_euro_filter_without_speed_is_an_exponential_mean():
    """With beta 0 the filter is a plain low-pass: after one time constant 1/e of a step is left."""
    smooth, cutoff_hz, step_s = OneEuro(0.5), 0.5, 1e-3
    smooth(np.zeros(1), step_s)
    constant_s = 1 / (2 * np.pi * cutoff_hz)
    for _ in range(round(constant_s / step_s)):
        value = smooth(np.ones(1), step_s)
    assert 1 - value[0] == pytest.approx(np.exp(-1), abs=2e-3)


def test_a_one_euro_filter_is_the_same_at_every_resolution_and_prompter_with_speed():
    samples = np.cumsum(np.random.default_rng(1).normal(0, 0.1, (50, 3)), axis=0)
    small, large, slow = OneEuro(1.0, 2.0), OneEuro(1.0, 2.0), OneEuro(1.0, 0.0)
    for sample in samples:
        a, b, c = small(sample, STEP_S), large(sample * 7.0, STEP_S, unit=7.0), slow(sample, STEP_S)
    assert b == pytest.approx(7.0 * a)
    assert (np.abs(a - samples[-1]) < np.abs(c - samples[-1])).all()


# Flow


@pytest.mark.parametrize(("degrees", "zoom", "shift"), [(0, 1.0, (5.0, -3.0)), (3, 1.03, (2.0, 1.0))])
def test_flow_tells_a_motion(degrees, zoom, shift):
    true = cv2.getRotationMatrix2D((160, 120), degrees, zoom)
    true[:, 2] += shift
    flow = Flow()
    flow.see(STILL)
    assert flow.see(cv2.warpAffine(STILL, true, (320, 240), borderMode=cv2.BORDER_REFLECT))
    box = np.array([(120.0, 80.0), (200.0, 160.0)])
    # `true` takes pixel indices, and places lie half a pixel further.
    assert moved(box, flow.motion(box)) == pytest.approx(moved(box - 0.5, true) + 0.5, abs=0.3)


def test_flow_says_where_it_cannot_tell_and_sees_a_cut():
    flow = Flow()
    box = np.array([(120.0, 80.0), (200.0, 160.0)])
    assert not flow.see(STILL) and flow.motion(box) is None  # the first frame
    assert flow.see(shifted(STILL, 2, 0)) and not flow.see(texture(seed=5))
    assert flow.motion(box) is None  # no agreement between two scenes
    assert flow.motion(box + 1000) is None  # outside
    assert not flow.see(np.zeros((100, 100, 3), np.uint8))  # another size


# Tracks


def test_a_moving_face_is_steadier_than_its_detections_and_not_behind():
    """The moving synthetic camera knows the eyes: the error of tracks changes less than that of detections."""
    pytest.importorskip("resvg_py", reason="the avatars extra is not installed")
    rng = np.random.default_rng(2)
    errors = {True: [], False: []}
    with Synthetic((360, 640), seed=3) as camera:
        trackers = {smooth: Tracker(smooth=smooth) for smooth in errors}
        for index in range(40):
            truth = np.array(camera.eyes(index))
            eyes = truth + rng.normal(0, 1.5, (2, 2))  # as the detector's on this camera
            box = (*(truth.mean(axis=0) - (55, 45)), 110.0, 110.0)
            found = Face(box=box, score=0.9, left_eye=tuple(eyes[0]), right_eye=tuple(eyes[1]))
            for smooth, tracker in trackers.items():
                seen = [Sighting(index / 30, [found])]
                (track,) = tracker.follow(camera.frame_at(index), index / 30, seen)
                errors[smooth].append(np.array([track.face.left_eye, track.face.right_eye]) - truth)
    jitter = {smooth: np.diff(e[10:], axis=0).std() for smooth, e in errors.items()}
    assert jitter[True] < 0.3 * jitter[False]
    # A lag would be a mean error against the motion, which is up to 2 pixels a frame here.
    assert np.abs(np.mean(errors[True][10:], axis=0)).max() < 1.0 and np.std(errors[True][10:]) < 1.0


def test_unsmoothed_tracks_are_the_detections():
    tracker = Tracker(smooth=False)
    faces = [face_at(100 + x, 80) for x in (0, 4, -3, 6)]
    for (track,), face in zip(run(tracker, [[f] for f in faces]), faces, strict=True):
        assert track[1].left_eye == pytest.approx(face.left_eye) and track[1].box == pytest.approx(face.box)


def test_between_detections_a_face_moves_with_the_picture():
    tracker = Tracker()
    tracker.follow(STILL, 0.0, [Sighting(0.0, [face_at(120, 80)])])
    for step in range(1, 6):
        (track,) = tracker.follow(shifted(STILL, 3 * step, -step), step * STEP_S, [])
    assert track.face.box[:2] == pytest.approx((120 + 15, 80 - 5), abs=0.5)


def test_a_late_detection_corrects_where_the_face_was_not_where_it_is():
    """What was found three frames ago lies where the face was then: brought to now, it changes nothing."""
    tracker = Tracker()
    tracker.follow(STILL, 0.0, [Sighting(0.0, [face_at(120, 80)])])
    for step in range(1, 12):
        late = step - 3
        seen = [Sighting(late * STEP_S, [face_at(120 + 4 * late, 80)])] if late >= 0 else []
        (track,) = tracker.follow(shifted(STILL, 4 * step, 0), step * STEP_S, seen)
    assert track.face.box[0] == pytest.approx(120 + 44, abs=0.7)


def test_identities_survive_a_near_miss_and_the_order_of_detections():
    left = [face_at(40 + 6 * i, 80) for i in range(10)]
    right = [face_at(220 - 6 * i, 120) for i in range(10)]
    tracker = Tracker(smooth=False)
    flat = np.full((240, 320, 3), 90, np.uint8)  # flow tells nothing here: overlap alone decides
    mixed = [[a, b] if i % 2 else [b, a] for i, (a, b) in enumerate(zip(left, right, strict=True))]
    answers = run(tracker, mixed, flat)
    first = {round(face.box[1]): number for number, face, _ in answers[0]}
    assert len(first) == 2
    for tracks in answers:
        assert {round(face.box[1]): number for number, face, _ in tracks} == first


def test_of_two_faces_side_by_side_each_keeps_the_detection_nearest_to_it():
    tracker = Tracker(smooth=False)
    left, right = face_at(40, 80), face_at(65, 80)  # each overlaps both detections
    before, after = run(tracker, [[left, right], [face_at(67, 80), face_at(42, 80)]])
    assert [(n, f.box[0]) for n, f, _ in before] == [(1, 40), (2, 65)]
    assert [(n, f.box[0]) for n, f, _ in after] == [(1, 42), (2, 67)]


def test_a_lost_face_is_held_then_fades_and_is_then_forgotten():
    tracker = Tracker()
    run(tracker, [[face_at(120, 80)]] * 5)
    lost = run(tracker, [[]] * 40, start=5)
    strengths = [tracks[0][2] if tracks else 0.0 for tracks in lost]
    held = sum(s == 1.0 for s in strengths)
    assert abs(held * STEP_S - HOLD_S) <= STEP_S
    fading = strengths[held : held + round(FADE_S / STEP_S) + 1]
    assert np.diff(fading[:-1]).max() < -0.05
    assert max(strengths[held + round(FADE_S / STEP_S) :]) < 1e-9
    again = run(tracker, [[face_at(120, 80)]], start=45)[0]
    assert again == []  # somebody new, who is not painted at first sight
    assert run(tracker, [[face_at(120, 80)]], start=46)[0][0][0] == 2


def test_a_face_that_is_back_in_time_keeps_its_identity_and_strength():
    tracker = Tracker()
    seen = run(tracker, [[face_at(120, 80)]] * 5 + [[]] * 5 + [[face_at(122, 80)]] * 3)
    assert {(t[0], t[2]) for tracks in seen for t in tracks} == {(1, 1.0)}


def test_a_new_face_fades_in_from_its_second_sighting_and_a_ghost_is_never_painted():
    tracker = Tracker()
    here, there = face_at(20, 80), face_at(220, 80)
    ghost = run(tracker, [[here]] * 3 + [[here, there]] + [[here]] * 40)
    assert all([number for number, _, _ in tracks] == [1] for tracks in ghost)
    comes = run(tracker, [[here, there]] * 10, start=44)
    strengths = [dict((n, s) for n, _, s in tracks).get(3, 0.0) for tracks in comes]
    assert strengths[0] == 0.0 and strengths[1] == pytest.approx(STEP_S / APPEAR_S)
    assert (np.diff(strengths) >= 0).all() and strengths[-1] == 1.0


def test_after_a_cut_faces_show_at_once_and_the_old_ones_are_gone():
    tracker = Tracker()
    run(tracker, [[face_at(20, 80)]] * 4)
    after = run(tracker, [[face_at(200, 100)]], texture(seed=9), start=4)[0]
    assert [(number, strength) for number, _, strength in after] == [(2, 1.0)]
    stale = tracker.follow(texture(seed=10) // 4, 6 * STEP_S, [Sighting(5 * STEP_S, [face_at(20, 80)])])
    assert stale == []  # found before the next cut: of another scene


def test_a_timestamp_that_does_not_rise_begins_another_video():
    tracker = Tracker()
    first = run(tracker, [[face_at(120, 80)], [face_at(123, 80)]] * 3)
    assert run(tracker, [[face_at(120, 80)], [face_at(123, 80)]] * 3) == first


def test_who_is_painted():
    small, middle, large = face_at(20, 20, 40), face_at(100, 80, 60), face_at(200, 100, 80)

    def painted(which, faces=(small, middle, large)):
        return {t[1].box[2] for t in run(Tracker(which), [list(faces)])[0]}

    assert painted("all") == {40, 60, 80} and painted("largest") == {80} and painted(2) == {60, 80}
    assert painted((40.0, 40.0)) == {40} and painted((10.0, 10.0), (large, middle)) == {60}
    for wrong in ("both", 0, -1, True, (1,), None):
        with pytest.raises(InputError, match="largest"):
            Tracker(wrong)


def test_the_largest_face_does_not_change_with_a_breath():
    """Two faces of nearly one size: the one that was chosen stays until the other is clearly larger."""
    a, b = [face_at(20, 80, 60), face_at(200, 80, 62)]
    tracker = Tracker("largest", smooth=False)
    first = run(tracker, [[a, b]])[0][0][0]
    swapped = run(tracker, [[face_at(20, 80, 63), b], [a, b]] * 5, start=1)
    assert {t[0] for tracks in swapped for t in tracks} == {first}
    grown = run(tracker, [[face_at(10, 70, 90), b]] * 20, start=11)[-1]
    assert [t[0] for t in grown] != [first] and grown[0][2] == 1.0


def test_the_face_that_was_clicked_is_followed_where_it_goes():
    flat = np.full((240, 320, 3), 90, np.uint8)
    tracker = Tracker((40.0, 110.0), smooth=False)
    goes = [[face_at(20 + 8 * i, 80), face_at(100, 160)] for i in range(20)]
    assert {t[0] for tracks in run(tracker, goes, flat) for t in tracks} == {1}


# The search beside


def test_a_lookout_searches_the_newest_frame_and_forgets_with_a_reset():
    class Slow:
        """A finder whose answer names the frame, and which waits to be let go."""

        def __init__(self):
            self.go = threading.Semaphore(0)

        def find(self, frame):
            self.go.acquire()
            return [face_at(float(frame[0, 0, 0]), 0)]

    finder = Slow()
    lookout = Lookout(finder)
    frames = [np.full((8, 8, 3), value, np.uint8) for value in range(6)]
    finder.go.release()
    assert [s.timestamp for s in lookout.look(frames[0], 0.0)] == [0.0]  # at once
    assert lookout.look(frames[1], 1.0) == []
    _until(lambda: lookout._frames._items.__len__() == 0)  # the thread has taken it
    for number in (2, 3, 4):
        lookout.look(frames[number], float(number))
    finder.go.release(2)
    got = []
    _until(lambda: got.extend(lookout._take()) or len(got) == 2)
    assert [(s.timestamp, s.faces[0].box[0]) for s in got] == [(1.0, 1.0), (4.0, 4.0)]  # 2 and 3 gave way
    lookout.look(frames[5], 5.0)
    _until(lambda: not lookout._frames._items)
    lookout.reset()
    finder.go.release()  # for frame 5, or the one below
    finder.go.release()
    assert [s.timestamp for s in lookout.look(frames[0], 9.0)] == [9.0]
    lookout.look(frames[1], 10.0)
    finder.go.release()
    got.clear()
    _until(lambda: got.extend(lookout._take()) or got)
    assert [s.timestamp for s in got] == [10.0]  # and not 5.0, of the video before
    lookout.close()
    lookout.close()


def test_what_the_search_raises_comes_to_the_caller():
    class Broken:
        def find(self, frame):
            if frame[0, 0, 0]:
                raise InputError("no good")
            return []

    lookout = Lookout(Broken())
    lookout.look(np.zeros((4, 4, 3), np.uint8), 0.0)
    with pytest.raises(InputError, match="no good"):
        _until(lambda: lookout.look(np.ones((4, 4, 3), np.uint8), time.monotonic()) and False)
    lookout.close()


def test_two_threads_may_share_a_finder():
    pytest.importorskip("resvg_py", reason="the avatars extra is not installed")
    finder = FaceFinder()
    with Synthetic((240, 320)) as camera:
        frames = [camera.frame_at(i) for i in (0, 45)]
    alone = [finder.find(frame) for frame in frames]
    together: list = [[], []]

    def work(i):
        together[i] = [finder.find(frames[i]) for _ in range(8)]

    threads = [threading.Thread(target=work, args=(i,)) for i in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == [[alone[0]] * 8, [alone[1]] * 8] and alone[0] != alone[1]


def _until(done, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.002)
