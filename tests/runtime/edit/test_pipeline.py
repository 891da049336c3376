"""The pipeline gives what its parts give, put together by hand: frame by frame and bit for bit.

A crop goes through the network once, or, where the card says so, once for each change.
"""

import asyncio
from collections import defaultdict

import msgspec
import numpy as np
import pytest
from support import tiny_models
from support.models.editors import SIZE, crop

from edgegan.runtime import AsyncEditor, Editor, EditorPool
from edgegan.runtime.backends import open_backend
from edgegan.runtime.edit import align, blending
from edgegan.runtime.edit.labels import Labels, Memory
from edgegan.runtime.faces.finder import FaceFinder
from edgegan.runtime.faces.tracking import Sighting, Tracker
from edgegan.runtime.live.sources.synthetic import Synthetic
from edgegan.runtime.model.artefact import load
from edgegan.runtime.model.image import postprocess, preprocess

CHANGES = {"Smiling": 1.0}
BOTH = {"Brown_Hair": 1.0, "Smiling": 1.0}
PLAIN = {"Blond_Hair": 0.0, "Brown_Hair": 0.0, "Smiling": 0.0}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load(tiny_models.write_editor(tmp_path_factory.mktemp("m"), size=32))


def clip(frames):
    """Two drawn people side by side; in the middle another pair comes with a cut."""
    pytest.importorskip("resvg_py", reason="the avatars extra is not installed")
    cameras = [Synthetic((240, 240), seed=seed) for seed in (2, 5, 7, 9)]
    pairs = [cameras[:2] if i < frames // 2 else cameras[2:] for i in range(frames)]
    return [np.hstack([camera.frame_at(i) for camera in pair]) for i, pair in enumerate(pairs)]


def test_a_clip_of_faces(model):
    classifier = model.companion("classifier")
    card, finder, tracker, memories = model.card, FaceFinder(), Tracker(), defaultdict(Memory)
    frames, painted = clip(24), 0
    with (
        Editor.open(model, backend="onnxruntime") as editor,
        open_backend(model, backend="onnxruntime") as network,
        open_backend(classifier, backend="onnxruntime") as estimator,
    ):
        labels = Labels(card.condition, classifier.card, estimator)
        for i, frame in enumerate(frames):
            expected = frame.copy()
            for track in tracker.follow(frame, i / 30, [Sighting(i / 30, finder.find(frame))]):
                crop, matrix = align.crop(frame, track.face, card)
                (vector,) = card.condition.vectors(labels.follow(memories[track], crop), CHANGES)
                tensors = network.run({"image": preprocess(card, crop), "label": np.array([vector], np.float32)})
                edited = postprocess(card, tensors[card.outputs[0].name])
                mask = blending.face_feather(crop.shape[:2], card.alignment.margin, track.face, matrix)
                blending.blend(expected, crop, edited, matrix, mask * np.float32(track.strength))
                painted += 1
            assert np.array_equal(editor.edit(frame, CHANGES, timestamp=i / 30), expected)
    assert painted > len(frames)  # both faces of most frames


def test_whole_frames(tmp_path):
    model = load(tiny_models.write_whole_frame(tmp_path, hw=(32, 48), multiple=4))
    frame = np.random.default_rng(0).integers(0, 256, (90, 150, 3), dtype=np.uint8)
    with Editor.open(model, backend="onnxruntime") as editor, open_backend(model, backend="onnxruntime") as network:
        crop, matrix = align.whole(frame, align.work_size(frame.shape[:2], model.card.size))
        tensors = network.run({model.card.inputs[0].name: preprocess(model.card, crop)})
        edited, expected = postprocess(model.card, tensors[model.card.outputs[0].name]), frame.copy()
        blending.blend(expected, crop, edited, matrix, None)
        assert np.array_equal(editor.edit(frame, {}, timestamp=0.0), expected)
        assert np.array_equal(editor.edit_batch([frame, frame], {})[1], expected)
    assert (expected != frame).any()


@pytest.fixture(scope="module")
def taught_alone(tmp_path_factory):
    """A tiny model whose card says that it was taught one change at a time, for four pictures a call."""
    path = tiny_models.write_editor(tmp_path_factory.mktemp("alone"), size=SIZE, pairs=0, faces=False, alignment=None)
    tiny_models.allow_batches(path, (1, 4))
    condition = load(path).card.condition
    tiny_models.rewrite_card(path, condition=msgspec.structs.replace(condition, one_at_a_time=True))
    return path


@pytest.fixture(scope="module")
def editor(taught_alone):
    with Editor.open(taught_alone, backend="onnxruntime") as editor:
        yield editor


def test_two_changes_at_once_are_the_one_and_then_the_other(editor):
    picture = crop(red=90, blue=40)
    first = editor.translate(picture, {"Brown_Hair": 1.0}, PLAIN)
    both = editor.translate(picture, BOTH, PLAIN)
    assert np.array_equal(both, editor.translate(first, {"Smiling": 1.0}, {**PLAIN, "Brown_Hair": 1.0}))
    assert (both != first).any()


@pytest.mark.parametrize("strength", [0.25, 0.5, 1.0])
def test_sliders_reach_every_change(editor, strength):
    picture = crop(red=90, blue=40)
    half = editor.translate(picture, {"Brown_Hair": strength}, PLAIN)
    both = editor.translate(picture, {"Smiling": 0.5, "Brown_Hair": strength}, PLAIN)
    assert np.array_equal(both, editor.translate(half, {"Smiling": 0.5}, {**PLAIN, "Brown_Hair": strength}))


def test_a_pass_runs_for_each_decision_that_is_named_whatever_the_classifier_read(editor, monkeypatch):
    network, calls = editor._pipeline._network, []
    run = network.begin
    monkeypatch.setattr(network, "begin", lambda given: (calls.append(len(given["image"])), run(given))[1])
    for label in (PLAIN, {**PLAIN, "Smiling": 1.0}):
        editor.translate(crop(), BOTH, label)
    editor.translate(crop(), {"Blond_Hair": 0.5, "Brown_Hair": 0.5}, PLAIN)
    assert calls == [1, 1, 1, 1, 1]
    editor.edit_batch([crop(), crop(90)], BOTH)
    assert calls[5:] == [2, 2], "both people in one call, twice"


def test_a_batch_of_people_comes_out_as_each_alone(editor):
    people = [crop(red=200, blue=190), crop(red=200), crop(green=190, blue=220), crop()]
    wanted = [editor.edit(person, BOTH) for person in people]
    for seen, each in zip(editor.edit_batch(people, BOTH), wanted, strict=True):
        assert np.array_equal(seen, each)


def test_pools_and_asyncio_edit_alike(editor, taught_alone):
    picture = crop(red=90, blue=40)
    wanted = editor.edit(picture, BOTH)

    async def edit():
        async with await AsyncEditor.open(taught_alone, backend="onnxruntime") as other:
            return await other.edit(picture, BOTH)

    assert np.array_equal(asyncio.run(edit()), wanted)
    with EditorPool.open(taught_alone, size=1, backend="onnxruntime") as pool:
        assert np.array_equal(pool.edit(picture, BOTH), wanted)
