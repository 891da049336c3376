"""Landmarks are steadied; faces that lie, are upside down or turned far away are left alone."""

import numpy as np
import pytest
from support.faces.moving_faces import STEP_S, STILL, face_at
from support.faces.real_faces import astronaut, talking_man, turn

from edgegan.runtime.drawn import avatars
from edgegan.runtime.faces import Face
from edgegan.runtime.faces.finder import FaceFinder
from edgegan.runtime.faces.landmarks import JUMBLED, LYING, TURNED, USUAL, WIDER, OneEuro, refuse_pose
from edgegan.runtime.faces.tracking import Sighting, Tracker


@pytest.fixture(scope="module")
def finder():
    return FaceFinder()


def pose(nose=(50.0, 60.0), mouth=(50.0, 80.0), left=(30.0, 40.0), right=(70.0, 40.0), **more):
    return Face(box=(0.0, 0.0, 100.0, 100.0), score=0.9, left_eye=left, right_eye=right, points=(nose, mouth), **more)


def accept(finder, picture):
    return [face for face in finder.find(picture) if refuse_pose(face) is None]


@pytest.mark.parametrize(
    ("face", "why"),
    [
        (pose(), None),
        (pose(nose=(64.0, 60.0)), None),  # looks aside
        (pose(nose=(72.0, 60.0)), TURNED),
        (pose(nose=(50.0, 44.0)), JUMBLED),
        (pose(mouth=(50.0, 62.0)), JUMBLED),
        (pose(nose=(50.0, 20.0), mouth=(50.0, 0.0)), JUMBLED),
        (pose(left=(50.0, 20.0), right=(50.0, 60.0)), LYING),
        (pose(left=(70.0, 40.0), right=(30.0, 40.0)), LYING),
        (pose(left=(50.0, 40.0), right=(50.4, 40.0)), JUMBLED),
        (pose(upright=0.05), None),
        (pose(upright=-0.3), LYING),
    ],
)
def test_the_rule_and_its_words(face, why):
    refusal = refuse_pose(face)
    assert (refusal and refusal.why) == why
    assert why is None or str(refusal).startswith(f"{why}: ")


def test_who_is_edited_already_has_wider_limits():
    face = pose(nose=(70.0, 60.0))
    assert refuse_pose(face, USUAL).why == TURNED and refuse_pose(face, WIDER) is None
    for usual, wider in zip(USUAL[:2], WIDER[:2], strict=True):
        assert wider > usual
    for usual, wider in zip(USUAL[2:], WIDER[2:], strict=True):
        assert wider < usual


@pytest.mark.parametrize("degrees", range(0, 360, 10))
def test_the_astronaut_turned(finder, degrees):
    """To both sides by up to 40 degrees she is edited, and from 60 degrees on no more, whatever the detector sees."""
    tilt = min(degrees, 360 - degrees)
    faces = accept(finder, turn(astronaut(), degrees))
    if tilt <= 40:
        assert len(faces) == 1
    elif tilt >= 60:
        assert faces == []


@pytest.mark.parametrize(("quarters", "share"), [(0, 1.0), (1, 0.0), (2, 0.0), (3, 0.0)])
def test_the_talking_man_turned(finder, quarters, share):
    """He turns and tilts his head: every frame counts; lying or upside down none does."""
    frames = [np.ascontiguousarray(np.rot90(frame, quarters)) for frame in talking_man()[::8]]
    seen = [len(accept(finder, frame)) for frame in frames]
    assert np.mean(seen) == share and max(seen) <= 1


def test_a_man_who_turns_his_picture_upside_down_is_not_edited_in_motion(finder):
    """The same through the tracker: no flicker on, and none off."""
    for quarters, wanted in ((0, True), (2, False)):
        tracker = Tracker()
        for i, frame in enumerate(talking_man()[:48]):
            frame = np.ascontiguousarray(np.rot90(frame, quarters))
            sightings = [Sighting(i / 25, finder.find(frame))] if i % 2 == 0 else []
            painted = [track.strength for track in tracker.follow(frame, i / 25, sightings)]
            assert (painted == [1.0]) if wanted else (painted == []), i
        assert bool(tracker.refusals) is not wanted


def test_drawn_faces_are_no_exception(finder):
    pytest.importorskip("resvg_py", reason="the avatars extra is not installed")
    people = [avatars.sample_face(seed) for seed in avatars.seeds("heldout", 30)]
    drawn = [np.ascontiguousarray(avatars.render_rgb(person, 200)[:, :, ::-1]) for person in people]
    assert sum(len(accept(finder, picture)) == 1 for picture in drawn) >= 28


def test_a_pose_at_the_limit_does_not_flicker():
    """One sighting of another opinion changes nothing; when they last for 0.2 s, the edit fades."""
    tracker, frontal, away = Tracker(), face_at(100, 80), face_at(100, 80)
    frontal = Face(**{**_fields(frontal), "points": ((130.0, 112.0), (130.0, 125.0))})
    away = Face(**{**_fields(away), "points": ((152.0, 112.0), (150.0, 125.0))})
    strengths = []
    for i in range(60):
        face = away if i in (10, 14) or i >= 30 else frontal
        tracks = tracker.follow(STILL, i * STEP_S, [Sighting(i * STEP_S, [face])])
        strengths.append(sum(track.strength for track in tracks))
    assert strengths[:34] == [1.0] * 34  # on from the start, and through both slips
    assert strengths[-1] == 0.0 and all(a >= b for a, b in zip(strengths[30:], strengths[31:], strict=False))
    assert [refusal.why for refusal in tracker.refusals] == [TURNED]
    for i in range(60, 90):
        tracks = tracker.follow(STILL, i * STEP_S, [Sighting(i * STEP_S, [frontal])])
    assert [track.strength for track in tracks] == [1.0] and not tracker.refusals


def test_the_rule_can_be_turned_off():
    lying = pose(left=(50.0, 20.0), right=(50.0, 60.0))
    assert Tracker().follow(STILL, 0.0, [Sighting(0.0, [lying])]) == []
    assert len(Tracker(any_pose=True).follow(STILL, 0.0, [Sighting(0.0, [lying])])) == 1


def _fields(face):
    return {name: getattr(face, name) for name in face.__struct_fields__}


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
