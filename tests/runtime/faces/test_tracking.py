"""Faces over time: steadiness, identity, and what is painted when."""

import numpy as np
import pytest
from support.faces.moving_faces import STEP_S, STILL, face_at, shift, texture

from edgegan.runtime.errors import InputError
from edgegan.runtime.faces import Face
from edgegan.runtime.faces.tracking import APPEAR_S, FADE_S, HOLD_S, Sighting, Tracker
from edgegan.runtime.live.sources.synthetic import Synthetic


def run(tracker, faces_of_frames, frame=STILL, start=0):
    """The tracks of each frame; a frame whose faces are None is not searched."""
    answers = []
    for number, faces in enumerate(faces_of_frames, start=start):
        now = number * STEP_S
        seen = [] if faces is None else [Sighting(now, faces)]
        tracks = tracker.follow(frame, now, seen)
        answers.append([(t.number, t.face, t.strength) for t in tracks])
    return answers


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
        (track,) = tracker.follow(shift(STILL, 3 * step, -step), step * STEP_S, [])
    assert track.face.box[:2] == pytest.approx((120 + 15, 80 - 5), abs=0.5)


def test_a_late_detection_corrects_where_the_face_was_not_where_it_is():
    """What was found three frames ago lies where the face was then: brought to now, it changes nothing."""
    tracker = Tracker()
    tracker.follow(STILL, 0.0, [Sighting(0.0, [face_at(120, 80)])])
    for step in range(1, 12):
        late = step - 3
        seen = [Sighting(late * STEP_S, [face_at(120 + 4 * late, 80)])] if late >= 0 else []
        (track,) = tracker.follow(shift(STILL, 4 * step, 0), step * STEP_S, seen)
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

    def paint(which, faces=(small, middle, large)):
        return {t[1].box[2] for t in run(Tracker(which), [list(faces)])[0]}

    assert paint("all") == {40, 60, 80} and paint("largest") == {80} and paint(2) == {60, 80}
    assert paint((40.0, 40.0)) == {40} and paint((150.0, 120.0)) == {60}
    assert paint((40.0, 40.0), (large, middle)) == set()  # no face is there
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


def test_a_clicked_face_that_hides_for_a_moment_gets_its_edit_back_and_no_other_does():
    flat = np.full((240, 320, 3), 90, np.uint8)
    left, right = face_at(60, 80), face_at(140, 80)
    tracker = Tracker((90.0, 110.0), smooth=False)
    run(tracker, [[left, right]] * 10, flat)
    hidden = run(tracker, [[right]] * 18, flat, start=10)
    assert {t[0] for tracks in hidden for t in tracks} == {1} and hidden[-1] == []
    back = run(tracker, [[left, right]] * 10, flat, start=28)
    assert {t[0] for tracks in back for t in tracks} == {1} and back[-1][0][2] == 1.0
    gone = run(tracker, [[right]] * 60, flat, start=38)  # until it is forgotten
    assert {t[0] for tracks in gone for t in tracks} == {1} and gone[-1] == []
    again = run(tracker, [[face_at(70, 84), right]] * 10, flat, start=98)
    assert [t[0] for t in again[-1]] == [3]  # a new face where the clicked one was


# Rare frames and late searches


def follow(tracker, moments, found, frame=STILL):
    """The strongest edit in each frame, where a search ends one frame late, as beside a network as slow as a frame."""
    last, strengths = None, []
    for index, now in enumerate(moments):
        seen = (
            [Sighting(now, found(index))] if last is None else [Sighting(last, found(index - 1))] if index > 1 else []
        )
        strengths.append(max((t.strength for t in tracker.follow(frame, now, seen)), default=0.0))
        last = now
    return strengths


@pytest.mark.parametrize("steps_s", [(0.3,), (0.5,), (0.05, 0.35), (2.0,)])
def test_a_face_that_is_found_each_time_is_edited_wholly_however_rare_the_frames(steps_s):
    moments = np.cumsum([steps_s[i % len(steps_s)] for i in range(20)])
    assert set(follow(Tracker(), moments, lambda index: [face_at(120, 80)])) == {1.0}


def test_a_picture_that_is_held_keeps_its_edit():
    """A camera drops: its last frame is shown again, first after a second; it is searched late or not at all."""
    moments = [*(i * STEP_S for i in range(10)), *(1.5 + 0.2 * i for i in range(10))]
    assert set(follow(Tracker(), moments, lambda index: [face_at(120, 80)])) == {1.0}
    tracker = Tracker()
    run(tracker, [[face_at(120, 80)]] * 5)
    for now in moments[10:]:
        assert [t.strength for t in tracker.follow(STILL, now, [])] == [1.0]


def test_rare_frames_bear_one_miss_and_lose_a_face_that_went():
    tracker, moments = Tracker(), 0.3 * np.arange(16)
    strengths = follow(tracker, moments, lambda index: [] if index == 6 or index > 10 else [face_at(120, 80)])
    assert set(strengths[:13]) == {1.0}  # the miss of frame 11 is known at frame 12
    assert strengths[13:] == [pytest.approx(0.0, abs=1e-9)] * 3


def test_a_search_of_an_earlier_frame_loses_no_face():
    tracker = Tracker()
    tracker.follow(STILL, 0.0, [])
    tracker.follow(STILL, 1.0, [Sighting(1.0, [face_at(120, 80)])])
    for now in (1.5, 2.0, 4.0):
        assert [t.strength for t in tracker.follow(STILL, now, [Sighting(0.5, [])])] == [1.0]
