import numpy as np
import pytest

from edgegan.runtime.drawn import avatars
from edgegan.runtime.errors import CardError
from edgegan.runtime.faces import finder as finders
from edgegan.runtime.faces.finder import FaceFinder

pytest.importorskip("resvg_py", reason="the avatars extra is not installed")


def avatar(seed: int, size: int):
    person = avatars.sample_face(seed)
    picture = np.ascontiguousarray(avatars.render_rgb(person, size)[:, :, ::-1])
    return picture, np.array(avatars.eye_positions(person.pose)) * size


@pytest.fixture(scope="module")
def finder():
    return FaceFinder()


@pytest.mark.parametrize("size", [256, 384])
def test_an_avatar_s_face_and_eyes_are_found(finder, size):
    missed = 0
    errors = []
    for seed in avatars.seeds("heldout", 50):
        picture, truth = avatar(seed, size)
        found = finder.find(picture)
        missed += len(found) != 1
        if found:
            face = found[0]
            errors.append(np.abs(np.array([face.left_eye, face.right_eye]) - truth).max() / size)
            x, y, w, h = face.box
            for ex, ey in truth:
                assert x < ex < x + w and y < ey < y + h
    assert missed <= 2
    assert np.median(errors) < 0.03 and max(errors) < 0.07


def test_a_face_moves_with_the_picture(finder):
    picture, _ = avatar(avatars.SPLITS["heldout"] + 1, 256)
    alone = finder.find(picture)[0]
    frame = np.full((400, 640, 3), 128, np.uint8)
    frame[100:356, 300:556] = picture
    found = finder.find(frame)[0]
    shift = np.subtract((found.left_eye, found.right_eye), (alone.left_eye, alone.right_eye))
    assert np.abs(shift - (300, 100)).max() < 8  # a pixel of the detector is 5 pixels of this frame


@pytest.mark.parametrize(
    ("shape", "corner"), [((720, 1280), (20, 300)), ((720, 1280), (1000, 300)), ((960, 540), (150, 700))]
)
def test_a_small_face_in_a_wide_or_tall_frame_is_found(finder, shape, corner):
    picture, truth = avatar(avatars.SPLITS["heldout"] + 1, 240)
    frame = np.full((*shape, 3), 128, np.uint8)
    x, y = corner
    frame[y : y + 240, x : x + 240] = picture
    found = finder.find(frame)
    assert len(found) == 1
    assert np.abs(np.subtract((found[0].left_eye, found[0].right_eye), truth + corner)).max() < 0.07 * 240


def test_a_mirrored_picture_gives_the_mirrored_face(finder):
    picture, _ = avatar(avatars.SPLITS["heldout"] + 2, 256)
    face = finder.find(picture)[0]
    mirrored = finder.find(np.ascontiguousarray(picture[:, ::-1]))[0]
    assert np.allclose(mirrored.left_eye, (256 - face.right_eye[0], face.right_eye[1]), atol=0.1)
    assert np.allclose(mirrored.right_eye, (256 - face.left_eye[0], face.left_eye[1]), atol=0.1)
    assert face.left_eye[0] < face.points[0][0] < face.right_eye[0]  # the nose lies between the eyes
    assert face.points[2][0] < face.left_eye[0] < face.right_eye[0] < face.points[3][0]  # and the ears outside


def test_two_faces_are_two_and_the_best_comes_first(finder):
    left, _ = avatar(avatars.SPLITS["heldout"] + 3, 256)
    right, _ = avatar(avatars.SPLITS["heldout"] + 4, 256)
    found = finder.find(np.hstack([left, right]))
    assert len(found) == 2 and found[0].score >= found[1].score
    assert sorted(face.left_eye[0] > 256 for face in found) == [False, True]


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (720, 1280)])
def test_an_empty_picture_of_any_shape_has_no_face(finder, shape):
    assert finder.find(np.full((*shape, 3), 90, np.uint8)) == []


def test_a_changed_detector_is_refused(tmp_path, monkeypatch):
    data = bytearray(finders.MODEL.read_bytes())
    data[5000] ^= 1
    (tmp_path / "changed.tflite").write_bytes(data)
    monkeypatch.setattr(finders, "MODEL", tmp_path / "changed.tflite")
    with pytest.raises(CardError, match="was changed"):
        FaceFinder()
    monkeypatch.setattr(finders, "MODEL", tmp_path / "absent.tflite")
    with pytest.raises(CardError, match="is missing"):
        FaceFinder()
