"""The asynchronous editor: the loop goes on, calls keep their order, and cancelling one harms nothing."""

import asyncio
import threading
import time

import numpy as np
import pytest
from support import tiny_models

from edgegan.runtime import AsyncEditor, Editor, EditorPool
from edgegan.runtime.errors import InputError

SIZE = 32


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_models.write_editor(tmp_path_factory.mktemp("m"), size=SIZE)


def crop(value):
    return np.full((SIZE, SIZE, 3), value, np.uint8)


def hold(editor):
    """Makes every call of the network wait for the event returned; the list counts those that began."""
    go, began, run = threading.Event(), [], editor._editor._pipeline._network.begin

    def slow(inputs):
        began.append(1)
        assert go.wait(10)
        return run(inputs)

    editor._editor._pipeline._network.begin = slow
    return go, began


async def until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


def test_it_gives_what_the_editor_gives_and_the_loop_goes_on(model):
    async def main():
        async with await AsyncEditor.open(model, backend="onnxruntime") as editor:
            go, began = hold(editor)
            calls = [asyncio.ensure_future(editor.translate(crop(40 * i), {"Smiling": 1.0})) for i in range(5)]
            await until(lambda: began)  # this loop turns while the network runs
            go.set()
            out = await asyncio.gather(*calls)
            frame = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
            assert (await editor.edit(frame, {})).shape == (60, 80, 3)
            assert len(await editor.edit_batch([frame, frame], {})) == 2
            assert await editor.estimate(crop(200)) and await editor.warm_up((60, 80)) > 0
            await editor.choose("largest")
            await editor.reset()
            assert editor.statistics.crops == 5 and editor.card.name == "tiny-editor" and editor.notices == ()
            return out

    out = asyncio.run(main())
    with Editor.open(model, backend="onnxruntime") as editor:
        for i, each in enumerate(out):
            assert np.array_equal(each, editor.translate(crop(40 * i), {"Smiling": 1.0}))


def test_a_cancelled_call_that_waits_never_begins_and_the_next_ones_are_right(model):
    async def main():
        async with await AsyncEditor.open(model) as editor:
            right = await editor.translate(crop(90), {"Smiling": 1.0})
            go, began = hold(editor)
            running = asyncio.ensure_future(editor.translate(crop(1), {}))
            await until(lambda: began)
            waiting = asyncio.ensure_future(editor.translate(crop(2), {}))
            last = asyncio.ensure_future(editor.translate(crop(90), {"Smiling": 1.0}))
            await asyncio.sleep(0)
            for task in (waiting, running):
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            go.set()
            assert np.array_equal(await last, right)
            assert len(began) == 2  # the one that ran, and the last

    asyncio.run(main())


def test_closing_waits_for_the_call_that_runs_and_goes_on_if_it_is_cancelled(model):
    async def main():
        editor = await AsyncEditor.open(model)
        go, began = hold(editor)
        running = asyncio.ensure_future(editor.translate(crop(1), {}))
        await until(lambda: began)
        closing = asyncio.ensure_future(editor.close())
        await asyncio.sleep(0.05)
        assert not closing.done() and not editor._editor._closed
        closing.cancel()
        go.set()
        assert (await running).shape == (SIZE, SIZE, 3)
        await until(lambda: editor._editor._closed)
        with pytest.raises(InputError, match="closed"):
            await editor.translate(crop(1), {})
        await editor.close()

    asyncio.run(main())


def test_an_open_that_is_cancelled_frees_what_it_loads(model, monkeypatch):
    go, made, real = threading.Event(), [], Editor.open.__func__

    def slow(cls, path, **options):
        made.append(real(cls, path, **options))
        assert go.wait(10)
        return made[0]

    async def main():
        monkeypatch.setattr(Editor, "open", classmethod(slow))
        opening = asyncio.ensure_future(AsyncEditor.open(model))
        await until(lambda: made)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        assert not made[0]._closed
        go.set()
        await until(lambda: made[0]._closed)

    asyncio.run(main())


def test_errors_come_through_and_a_pool_serves_several(model):
    async def main():
        with EditorPool.open(model, size=2) as pool:
            async with AsyncEditor(pool.client()) as one, AsyncEditor(pool.client()) as other:
                with pytest.raises(InputError, match="'Smile'"):
                    await one.translate(crop(1), {"Smile": 1.0})
                both = await asyncio.gather(one.translate(crop(50), {}), other.translate(crop(50), {}))
                assert np.array_equal(*both)

    asyncio.run(main())
