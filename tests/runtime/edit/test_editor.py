import threading

import msgspec
import numpy as np
import pytest
from support import tiny_models
from support.models.editors import SIZE, crop

from edgegan.runtime import Editor, FaceOptions
from edgegan.runtime.drawn import avatars
from edgegan.runtime.errors import CardError, InputError
from edgegan.runtime.metrics.tally import STAGES
from edgegan.runtime.model.condition import Condition
from edgegan.runtime.model.image import postprocess, preprocess


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_models.write_editor(tmp_path_factory.mktemp("m"), size=SIZE)


@pytest.fixture(scope="module")
def editor(model):
    with Editor.open(model) as editor:
        yield editor


@pytest.fixture(autouse=True)
def _forget(request):
    yield
    if "editor" in request.fixturenames:
        request.getfixturevalue("editor").reset()


def shift(on):
    """What the tiny model adds for a label, in grey levels, BGR."""
    return sum((tiny_models.COLOURS[tiny_models.NAMES.index(n)] for n in on), np.zeros(3))[::-1] * 127.5


def test_only_what_the_user_sets_differs_from_the_estimated_label(editor):
    picture = crop(red=200, blue=190)  # the classifier finds Blond_Hair (red) and Smiling (blue) on
    assert {n: round(v) for n, v in editor.estimate(picture).items()} == {
        "Blond_Hair": 1,
        "Brown_Hair": 0,
        "Smiling": 1,
    }
    for changes, on in [
        ({}, ["Blond_Hair", "Smiling"]),
        ({"Smiling": 0.0}, ["Blond_Hair"]),
        ({"Brown_Hair": 1.0}, ["Brown_Hair", "Smiling"]),  # an exclusive group: blond goes off
    ]:
        expected = np.clip(picture.astype(float) + shift(on), 0, 255)
        assert np.abs(editor.translate(picture, changes) - expected).max() <= 1


def test_where_nothing_is_to_change_the_frame_comes_back_bit_for_bit(model, scene):
    for options in (FaceOptions(), FaceOptions(colour_match=True, guard=True)):
        with Editor.open(model, faces=options) as editor:
            ran, run = [], editor._pipeline._network.begin
            editor._pipeline._network.begin = lambda given, ran=ran, run=run: (ran.append(1), run(given))[1]
            out = editor.edit(scene, {}, timestamp=0.0)
            assert np.array_equal(out, scene) and out is not scene and not ran
            assert all(np.array_equal(a, scene) for a in editor.edit_batch([scene, scene], {})) and not ran
            assert (editor.edit(scene, {"Smiling": 1.0}, timestamp=0.1) != scene).any() and ran


def test_a_known_label_is_used_instead_of_the_estimate(editor):
    out = editor.translate(crop(red=200), {}, label={"Blond_Hair": 0.0, "Brown_Hair": 0.0, "Smiling": 0.0})
    assert np.array_equal(out, crop(red=200))


def test_a_frame_is_edited_where_the_face_is_and_nowhere_else(editor):
    pytest.importorskip("resvg_py")
    person = avatars.sample_face(avatars.SPLITS["heldout"])
    frame = np.full((360, 640, 3), 80, np.uint8)
    frame[50:306, 200:456] = avatars.render_rgb(person, 256)[:, :, ::-1]
    given = frame.copy()
    times: dict[str, float] = {}
    out = editor.edit(frame, {"Smiling": 1.0}, record=times.__setitem__)
    assert np.array_equal(frame, given) and out.shape == frame.shape and out.dtype == np.uint8
    changed = (out != frame).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert changed.sum() > 5000 and columns.min() > 100 and columns.max() < 560
    assert tuple(times) == STAGES and all(t > 0 for t in times.values())


def test_several_faces_go_through_in_one_call_if_the_card_allows_it(tmp_path):
    """The same frame through a network of one picture a call and through one of up to three."""
    pytest.importorskip("resvg_py")
    frame = np.hstack(
        [avatars.render_rgb(avatars.sample_face(avatars.SPLITS["heldout"] + n), 256)[:, :, ::-1] for n in (3, 4, 6, 7)]
    )
    outs, calls = [], []
    for batch in ((1, 1), (1, 3)):
        path = tiny_models.write_editor(tmp_path / str(batch), size=SIZE, classifier=False, pairs=0)
        if batch[1] > 1:
            tiny_models.allow_batches(path, batch)
        with Editor.open(path, backend="onnxruntime") as editor:
            run, sizes = editor._pipeline._network.begin, []
            editor._pipeline._network.begin = lambda i, run=run, sizes=sizes: (sizes.append(len(i["image"])), run(i))[1]
            outs.append(editor.edit(frame, {"Smiling": 1.0}))
            calls.append(sizes)
    faces = len(calls[0])
    assert faces >= 3 and calls[0] == [1] * faces
    assert calls[1] == ([3, faces - 3] if faces > 3 else [3])
    assert not np.array_equal(outs[0], frame) and np.array_equal(*outs)


def test_a_frame_without_a_face_comes_back_as_a_new_array(editor):
    frame = np.full((120, 160, 3), 80, np.uint8)
    out = editor.edit(frame, {"Smiling": 1.0})
    assert np.array_equal(out, frame) and not np.shares_memory(out, frame)
    assert editor.edit(frame[:, :, 0], {}).shape == (120, 160, 3)


def test_an_unknown_attribute_is_an_error_even_without_a_face(editor):
    with pytest.raises(InputError, match="'Smile'.*\n.*Smiling"):
        editor.edit(np.zeros((60, 80, 3), np.uint8), {"Smile": 1.0})
    with pytest.raises(InputError, match="'Smile'"):
        editor.translate(crop(), {"Smile": 1.0})


def test_a_crop_of_another_size_is_an_error(editor):
    with pytest.raises(InputError, match="16x16"):
        editor.translate(np.zeros((16, 16, 3), np.uint8), {})


def test_without_a_classifier_the_default_label_counts_and_it_is_said(tmp_path):
    path = tiny_models.write_editor(tmp_path, size=SIZE, classifier=False)
    with Editor.open(path) as editor:
        assert len(editor.notices) == 1 and "Blond_Hair" in editor.notices[0]
        assert editor.estimate(crop()) == {"Blond_Hair": 1.0, "Brown_Hair": 0.0, "Smiling": 0.0}
        assert np.abs(editor.translate(crop(), {}) - (crop() + shift(["Blond_Hair"])).clip(0, 255)).max() <= 1


def test_a_model_without_labels_edits_whole_frames(tmp_path):
    with Editor.open(tiny_models.write_whole_frame(tmp_path)) as editor:
        frame = np.full((90, 200, 3), (10, 200, 30), np.uint8)
        assert not editor.card.faces and np.abs(editor.edit(frame, {}) - (255 - frame.astype(int))).max() <= 1
        with pytest.raises(InputError, match="it knows: none"):
            editor.edit(frame, {"Smiling": 1.0})


def test_both_backends_give_the_same_edit(model):
    picture = np.random.default_rng(5).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    with Editor.open(model, backend="openvino") as one, Editor.open(model, backend="onnxruntime", threads=1) as other:
        assert (one.selection.backend, other.selection.backend) == ("openvino", "onnxruntime")
        difference = one.translate(picture, {"Smiling": 1}).astype(int) - other.translate(picture, {"Smiling": 1})
        assert np.abs(difference).max() <= 1


def test_threads_may_share_an_editor(editor):
    pictures = [crop(red=10 * i) for i in range(8)]
    alone = [editor.translate(p, {"Smiling": 1.0}) for p in pictures]
    together: list = [None] * 8

    def work(i):
        for _ in range(10):
            together[i] = editor.translate(pictures[i], {"Smiling": 1.0})

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_a_closed_editor_says_so(model):
    with Editor.open(model) as editor:
        pass
    editor.close()
    with pytest.raises(InputError, match="closed"):
        editor.edit(np.zeros((60, 80, 3), np.uint8), {})


def test_what_no_editor_can_use_is_named(model, tmp_path):
    with pytest.raises(InputError, match="'classify' model"):
        Editor.open(model.with_name("classifier.onnx"))
    other = tiny_models.write_editor(tmp_path, size=SIZE)
    names = ("Young", "Male", "Smiling")
    tiny_models.rewrite_card(other, condition=Condition(kind="binary", names=names, default=(0.0, 0.0, 0.0)))
    with pytest.raises(CardError, match="Male, Young"):
        Editor.open(other)


def test_the_editor_adds_nothing_to_the_model(editor, model):
    """`translate` is preprocess, run and postprocess, and nothing else."""
    picture = np.random.default_rng(6).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    tensor = preprocess(editor.card, picture) + np.float32(0)
    label = {"Blond_Hair": 0.0, "Brown_Hair": 1.0, "Smiling": 0.0}
    expected = np.clip(tensor + tiny_models.COLOURS[1][None, :, None, None], -1, 1)
    out_card = msgspec.structs.replace(editor.card)
    assert np.array_equal(editor.translate(picture, {}, label=label), postprocess(out_card, expected))


def test_a_batch_gives_what_single_pictures_give(editor, any_size, tmp_path, scene):
    frames = [scene, np.zeros((60, 80, 3), np.uint8), scene[:, ::-1], scene[:200]]
    for opened in (editor,):
        batch = opened.edit_batch(frames, {"Smiling": 1.0})
        assert all(np.array_equal(a, opened.edit(f, {"Smiling": 1.0})) for a, f in zip(batch, frames, strict=True))
    assert editor.edit_batch([], {}) == []
    path = tiny_models.write_editor(tmp_path, size=SIZE, classifier=False, pairs=0, faces=False, alignment=None)
    tiny_models.allow_batches(path, (1, 3))
    with Editor.open(path, backend="onnxruntime") as opened:
        run, sizes = opened._pipeline._network.begin, []
        opened._pipeline._network.begin = lambda i: (sizes.append(len(i["image"])), run(i))[1]
        batch = opened.edit_batch(frames, {"Smiling": 1.0})
        assert sizes == [3, 1]
        assert all(np.array_equal(a, opened.edit(f, {"Smiling": 1.0})) for a, f in zip(batch, frames, strict=True))
    with Editor.open(any_size) as opened:  # frames of several shapes go through one by one
        for out, frame in zip(opened.edit_batch(frames, {}), frames, strict=True):
            assert np.array_equal(out, opened.edit(frame, {}))


def test_crops_of_one_shape_alone_share_a_call():
    from edgegan.runtime.edit.network import _take_alike

    shapes = [(8, 8), (8, 8), (8, 8), (4, 8), (8, 8)]
    crops = [np.zeros((*hw, 3), np.uint8) for hw in shapes]
    assert [len(_take_alike(crops[i:], 2)) for i in range(5)] == [2, 2, 1, 1, 1]
