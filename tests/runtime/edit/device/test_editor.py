"""Frames on a GPU, edited as on the host: true networks and graphs on the CPU, a GPU made of host memory."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from support import tiny_models
from support.faces.real_faces import astronaut, turn
from support.fakes.cuda_sessions import picture_of, picture_on_gpu, play_cuda
from support.fakes.gpu_array import OnGpu

from edgegan.runtime import DeviceEditor, Editor, FaceFinder, FaceOptions
from edgegan.runtime.backends.onnxruntime.backend import OnnxRuntime
from edgegan.runtime.edit.device import graphs, trial
from edgegan.runtime.errors import BackendError, CardError, InputError
from edgegan.runtime.model.artefact import load
from edgegan.runtime.model.card import SizeRule

BROWN = {"Brown_Hair": 1.0}


@pytest.fixture
def fake(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return play_cuda(monkeypatch)


@pytest.fixture
def model(tmp_path):
    return load(tiny_models.write_editor(tmp_path, size=64, pairs=0))


def two_people():
    """(361, 643, 3): one upright, one turned by 15 degrees, and a strip of nobody."""
    face = astronaut()
    frame = np.full((361, 643, 3), 90, np.uint8)
    frame[30:330, 10:310] = face
    frame[50:350, 330:630] = turn(face[:, ::-1], 15)
    return frame


def psnr(a, b):
    error = ((a.astype(float) - b) ** 2).mean()
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def edit(fake, model, frame, changes, *, gap=0, inplace=False, colour="bgr", open_with=None, **options):
    """The frame as `DeviceEditor.edit` leaves it, on the host, in BGR."""
    ordered = frame if colour == "bgr" else np.ascontiguousarray(frame[:, :, ::-1])
    with DeviceEditor.open(model, backend="onnxruntime", **(open_with or {})) as editor:
        given = picture_on_gpu(fake, ordered, gap=gap)
        out = given if inplace else picture_on_gpu(fake, np.zeros_like(ordered), gap=2 * gap, stream=6)
        editor.edit(given, changes, out=out, colour=colour, **options)
        found = picture_of(out)
        assert inplace or np.array_equal(picture_of(given), ordered)
    for array in {given, out}:
        array.free()
    assert not fake.memory and not fake.open, "something was not freed"
    return found if colour == "bgr" else found[:, :, ::-1]


def host(model, frame, changes, **options):
    with Editor.open(model, backend="onnxruntime", device="cpu", **options) as editor:
        return editor.edit(frame, changes)


@pytest.mark.parametrize("colour", ["bgr", "rgb"])
@pytest.mark.parametrize(("gap", "inplace"), [(0, False), (13, False), (5, True)])
def test_known_faces_are_edited_as_on_the_host(fake, model, gap, inplace, colour):
    frame = two_people()
    faces = FaceFinder().find(frame)
    assert len(faces) == 2
    found = edit(fake, model, frame, BROWN, gap=gap, inplace=inplace, colour=colour, places=faces)
    expected = host(model, frame, BROWN)
    assert np.abs(expected.astype(int) - found).max() <= 2 and psnr(expected, found) > 55
    assert psnr(expected, frame) < 35


def test_the_shipped_model_edits_as_on_the_host(fake):
    """Two changes, for which it runs twice: what it gave is not rounded to grey levels in between."""
    frame, changes = two_people(), {"Black_Hair": 1.0, "Eyeglasses": 1.0}
    found = edit(fake, "portraits", frame, changes, places=FaceFinder().find(frame))
    expected = host("portraits", frame, changes)
    assert psnr(expected, found) > 50 and psnr(expected, frame) < 40


@pytest.mark.parametrize(
    "options", [FaceOptions(guard=True), FaceOptions(colour_match=True), FaceOptions(which="largest")]
)
def test_options_of_faces_hold(fake, model, options):
    frame = two_people()
    found = edit(fake, model, frame, BROWN, open_with={"faces": options})
    expected = host(model, frame, BROWN, faces=options)
    # They were searched in another copy of the frame, and lie up to a pixel beside one another.
    assert psnr(expected, found) > 45 and psnr(expected, frame) < 35


@pytest.mark.parametrize("times", [1, 3])
def test_faces_are_searched_in_a_reduced_copy(fake, model, times):
    frame = np.repeat(np.repeat(two_people(), times, axis=0), times, axis=1)
    found = edit(fake, model, frame, BROWN)
    expected = host(model, frame, BROWN)
    assert psnr(expected, found) > 38 and psnr(expected, frame) < 35
    assert fake.copies.count("out") == 5, "the copy, two crops and two sums"


def test_a_face_is_chosen_by_its_place_in_the_frame_not_in_the_copy(fake, model):
    frame = np.repeat(np.repeat(two_people(), 2, axis=0), 2, axis=1)
    found = edit(fake, model, frame, BROWN, open_with={"faces": FaceOptions(which=(960.0, 380.0))})
    changed = (found != frame).any(axis=(0, 2))
    assert changed[660:].any() and not changed[:640].any()


def test_faces_of_a_video_are_followed(fake, model):
    """The face moves by three pixels a frame, and the edit with it; another video begins with reset."""
    whole = np.full((361, 643, 3), 90, np.uint8)
    with DeviceEditor.open(model, backend="onnxruntime", faces=FaceOptions(which=(150.0, 170.0))) as editor:
        for index in range(4):
            frame = whole.copy()
            frame[30:330, 10 + 3 * index : 310 + 3 * index] = astronaut()
            given = picture_on_gpu(fake, frame)
            editor.edit(given, BROWN, out=given, timestamp=index / 25)
            assert psnr(picture_of(given), frame) < 38
            given.free()
        editor.choose((600.0, 20.0))  # where nobody is; a face that was painted fades out
        for index in range(4, 30):
            given = picture_on_gpu(fake, frame)
            editor.edit(given, BROWN, out=given, timestamp=index / 25)
            last = picture_of(given)
            assert index > 4 or not np.array_equal(last, frame), "it was gone at once"
            given.free()
        assert np.array_equal(last, frame)
        editor.choose("all")
        editor.reset()
        given = picture_on_gpu(fake, frame)
        editor.edit(given, BROWN, out=given, timestamp=0.0)
        assert psnr(picture_of(given), frame) < 38


def test_nothing_is_changed_where_nothing_is_asked_or_nobody_is_there(fake, model):
    frame = two_people()
    assert np.array_equal(edit(fake, model, frame, {}), frame)
    assert np.array_equal(edit(fake, model, frame, BROWN, places=[]), frame)
    nobody = np.full((40, 50, 3), 77, np.uint8)
    assert np.array_equal(edit(fake, model, nobody, BROWN), nobody)


@pytest.mark.parametrize("multiple", [0, 8])
def test_whole_frames_are_edited_as_on_the_host(fake, tmp_path, multiple):
    rule = SizeRule(kind="multiple_of", hw=(64, 96), multiple=8) if multiple else SizeRule(hw=(64, 96))
    model = load(tiny_models.write_whole_frame(tmp_path, hw=(64, 96), multiple=multiple, size=rule))
    for hw in ((201, 333), (120, 40)):
        frame = two_people()[: hw[0], 40 : 40 + hw[1]].copy()
        found, expected = edit(fake, model, frame, {}), host(model, frame, {})
        assert np.abs(expected.astype(int) - found).max() <= 2 and psnr(expected, found) > 50


def test_work_size_and_places_are_for_the_models_that_have_them(fake, model, tmp_path):
    (tmp_path / "whole").mkdir()
    whole = load(tiny_models.write_whole_frame(tmp_path / "whole", multiple=8))
    with pytest.raises(InputError, match="work size"):
        DeviceEditor.open(model, backend="onnxruntime", work_size=(64, 64))
    found = edit(fake, whole, two_people(), {}, open_with={"work_size": (32, 64)})
    assert psnr(host(whole, two_people(), {}, work_size=(32, 64)), found) > 50
    with pytest.raises(InputError, match="places of faces were given"):
        edit(fake, whole, two_people(), {}, places=[])


def test_pictures_that_cannot_be_are_refused_in_words(fake, model):
    frame = np.zeros((60, 80, 3), np.uint8)
    with DeviceEditor.open(model, backend="onnxruntime") as editor:
        given, small = picture_on_gpu(fake, frame), picture_on_gpu(fake, frame[:50])
        locked = picture_on_gpu(fake, frame, read_only=True)
        wide = picture_on_gpu(fake, frame)
        wide.__cuda_array_interface__ |= {"shape": (60, 60, 3), "strides": (240, 4, 1)}
        float_ = OnGpu(fake, np.zeros((60, 80, 3), np.float32))
        for picture, out, kind, words in (
            (frame, given, InputError, "picture is a ndarray in host memory"),
            (given, frame, InputError, "out is a ndarray in host memory"),
            (given, small, BackendError, "room for"),
            (given, locked, BackendError, "read-only"),
            (wide, wide, BackendError, "4 bytes apart"),
            (float_, float_, BackendError, "float32"),
        ):
            with pytest.raises(kind, match=words):
                editor.edit(picture, BROWN, out=out)
        for options, words in (({"colour": "hsv"}, "hsv"), ({"timestamp": math.nan}, "timestamp")):
            with pytest.raises(InputError, match=words):
                editor.edit(given, BROWN, out=given, **options)
        with pytest.raises(InputError, match="Nose"):
            editor.edit(given, {"Nose": 1.0}, out=given)
    with pytest.raises(InputError, match="closed"):
        editor.edit(given, BROWN, out=given)


def test_values_that_are_no_numbers_are_an_error(fake, model, monkeypatch):
    real = OnnxRuntime.run_on_device

    def poison(self, inputs, outputs, *, stream=None):
        real(self, inputs, outputs, stream=stream)
        if "edited" in outputs:
            made = outputs["edited"]
            np.ctypeslib.as_array((np.ctypeslib.ctypes.c_float * 4).from_address(made.address))[:] = np.nan

    monkeypatch.setattr(OnnxRuntime, "run_on_device", poison)
    with pytest.raises(BackendError, match="NaN"):
        edit(fake, model, two_people(), BROWN)


@pytest.mark.parametrize("output", ["small", "crop", "picture", "blended"])
def test_a_graph_that_gives_something_else_here_than_on_the_cpu_is_not_run(fake, model, monkeypatch, output):
    real = OnnxRuntime.run

    def spoil(self, inputs):
        found = real(self, inputs)
        if self.device != "cpu" and output in found:
            found[output] = found[output] + found[output].dtype.type(3 if found[output].dtype == np.uint8 else 0.03)
        return found

    monkeypatch.setattr(OnnxRuntime, "run", spoil)
    with pytest.raises(BackendError, match=f"gives '{output}' on cuda .* grey levels off"):
        edit(fake, model, two_people(), BROWN)


def test_a_graph_that_was_changed_is_not_opened(fake, model, monkeypatch, tmp_path):
    for path in graphs.FRAMES.iterdir():
        data = bytearray(path.read_bytes())
        data[data.index(b"mean")] ^= 1
        (tmp_path / path.name).write_bytes(data)
    monkeypatch.setattr(graphs, "FRAMES", tmp_path)
    with pytest.raises(CardError, match="was changed"):
        edit(fake, model, two_people(), BROWN)


def test_the_trial_has_work_for_every_part_of_a_graph(model):
    """A face that is averaged, turned and recoloured: else a graph could be wrong and pass."""
    spec = model.card.inputs[0]
    tried = trial.Trial(spec, model.card.outputs[0], graphs.Look(0.1, True, True))
    given = tried.inputs("cut")
    assert given["part"].shape[1] == 2 and np.abs(np.diff(given["across"][:, 1])).max() > 0
    crop = np.full((32, 40, 3), 100, np.uint8)
    tried.note({"crop": crop})
    blended = tried.inputs("paste")
    assert blended["guard"] == 1.0 and (blended["part"].std() > 40) and "to_xyz" in blended
    gray = msgspec.structs.replace(spec, colour="GRAY", layout="NHWC", dtype="uint8")
    assert trial.Trial(gray, gray, graphs.Look()).inputs("cut")["mix"].shape == (3, 1)
