"""How often a crop goes through the network: once, or, where the card says so, once for each change."""

import asyncio

import msgspec
import numpy as np
import pytest
from support import tiny_models
from support.editors import SIZE, crop

from edgegan.runtime import AsyncEditor, Editor, EditorPool
from edgegan.runtime.model.artefact import load

BOTH = {"Brown_Hair": 1.0, "Smiling": 1.0}
PLAIN = {"Blond_Hair": 0.0, "Brown_Hair": 0.0, "Smiling": 0.0}


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
    run = network.run
    monkeypatch.setattr(network, "run", lambda given: (calls.append(len(given["image"])), run(given))[1])
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
