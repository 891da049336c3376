"""Numbers that are none are refused at the border, and the caller is told which."""

import asyncio
import math

import numpy as np
import pytest
from support import tiny_models
from support.faces.moving_faces import STILL

from edgegan.runtime import AsyncEditor, Editor, EditorPool, Sampler
from edgegan.runtime.errors import InputError
from edgegan.runtime.faces.tracking import Tracker
from edgegan.runtime.live.frame_clock import FrameClock
from edgegan.runtime.live.session import LiveSession

FRAME = np.full((64, 80, 3), 90, np.uint8)
CROP = FRAME[:32, :32]
NOT_FINITE = (math.nan, math.inf, -math.inf, np.float32("nan"), "much", None)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_models.write_editor(tmp_path_factory.mktemp("m"), size=32)


@pytest.fixture(scope="module")
def editor(model):
    with Editor.open(model) as editor:
        yield editor


@pytest.mark.parametrize("value", NOT_FINITE)
def test_changes_and_labels(editor, model, value):
    changes = {"Blond_Hair": 1.0, "Smiling": value}
    for call in (
        lambda: editor.edit(FRAME, changes),
        lambda: editor.edit(FRAME, changes, timestamp=0.0),
        lambda: editor.edit_batch([FRAME, FRAME], changes),
        lambda: editor.translate(CROP, changes),
        lambda: editor.translate(CROP, {}, label={"Smiling": value}),
    ):
        with pytest.raises(InputError, match="Smiling is ") as refused:
            call()
        assert "finite" in str(refused.value) and "tiny-editor" not in str(refused.value)
    assert editor.edit(FRAME, {"Smiling": np.float32(1.0)}).shape == FRAME.shape


@pytest.mark.parametrize("value", NOT_FINITE[:5])
def test_timestamps(editor, value):
    editor.edit(FRAME, {}, timestamp=1.0)
    with pytest.raises(InputError, match="timestamp is "):
        editor.edit(FRAME, {}, timestamp=value)
    with pytest.raises(InputError, match="timestamp is "):
        Tracker().follow(STILL, value, [])
    editor.edit(FRAME, {}, timestamp=2.0)  # the video goes on


def test_places(editor):
    for place in ((math.nan, 1.0), (1.0, math.inf)):
        with pytest.raises(InputError, match="place"):
            editor.choose(place)


def test_pools_and_asynchronous_editors(model):
    with EditorPool.open(model, size=1) as pool, pytest.raises(InputError, match="Smiling is nan"):
        pool.edit(FRAME, {"Smiling": math.nan})

    async def edit():
        async with AsyncEditor(Editor.open(model)) as editor:
            await editor.edit(FRAME, {}, timestamp=math.nan)

    with pytest.raises(InputError, match="timestamp is nan"):
        asyncio.run(edit())


def test_a_sampler_refuses_them_too(tmp_path):
    with Sampler.open(tiny_models.write_sampler(tmp_path)) as sampler:
        latents = sampler.latents(1)
        latents[0, 0] = math.nan
        with pytest.raises(InputError, match="not finite"):
            sampler.generate(latents)
        with pytest.raises(InputError, match="truncation at nan"):
            sampler.sample(1, truncate=math.nan)


@pytest.mark.parametrize(
    "limits", [{"seconds": math.nan}, {"seconds": math.inf}, {"seconds": 0}, {"frames": 0}, {"frames": -1}]
)
def test_a_live_session_refuses_limits_that_are_none(model, limits):
    with LiveSession.open(model, "synthetic", ["null"]) as session, pytest.raises(InputError):
        session.run(**limits)


@pytest.mark.parametrize("fps", [math.nan, math.inf, 0, -1])
def test_a_clock_refuses_rates_that_are_none(fps):
    with pytest.raises(InputError):
        FrameClock(fps)
