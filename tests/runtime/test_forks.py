"""What was opened in one process says so in another that inherited it by a fork; nothing hangs."""

import asyncio
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from support import tiny_models
from support.forks import outcomes_in_fork

from edgegan.runtime import AsyncEditor, Editor, EditorPool, FaceOptions, Sampler
from edgegan.runtime.background_queue import Errands
from edgegan.runtime.faces.finder import FaceFinder
from edgegan.runtime.faces.lookout import Lookout

FRAME = np.zeros((64, 80, 3), np.uint8)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_models.write_editor(tmp_path_factory.mktemp("m"), size=32)


def hold(lock):
    """Takes a lock in a thread that a fork leaves behind; returns what lets it go."""
    taken, go = threading.Event(), threading.Event()

    def hold():
        with lock:
            taken.set()
            go.wait(120)

    threading.Thread(target=hold, daemon=True).start()
    assert taken.wait(60)
    return go.set


def all_refused(outcomes):
    return all("spawn" in words and "fork" in words for words in outcomes)


def test_an_editor(model):
    with Editor.open(model, faces=FaceOptions(beside=True)) as editor:
        for i in range(3):
            editor.edit(FRAME, {}, timestamp=i / 30)  # the thread that searches is there
        let_go = hold(editor._lock)  # a fork at the worst moment
        *words, closed = outcomes_in_fork(
            lambda: editor.edit(FRAME, {}),
            lambda: editor.edit(FRAME, {}, timestamp=1.0),
            lambda: editor.edit_batch([FRAME], {}),
            lambda: editor.translate(FRAME[:32, :32], {}),
            lambda: editor.estimate(FRAME),
            lambda: editor.choose("largest"),
            lambda: editor.warm_up(),
            lambda: editor.another(),
            lambda: editor.reset(),
            lambda: editor.statistics,
            lambda: editor.close(),
        )
        let_go()
        assert all_refused(words) and closed == ""
        assert editor.edit(FRAME, {}, timestamp=2.0).shape == FRAME.shape  # and here all goes on


def test_a_pool_and_its_clients(model):
    with EditorPool.open(model, size=2) as pool, pool.client() as client:
        pool.edit(FRAME, {})
        *words, closed, client_closed = outcomes_in_fork(
            lambda: pool.edit(FRAME, {}),
            lambda: pool.client(),
            lambda: client.edit(FRAME, {}),
            lambda: pool.close(),
            lambda: client.close(),
        )
        assert all_refused(words) and closed == client_closed == ""
        assert client.edit(FRAME, {}).shape == FRAME.shape


def test_an_asynchronous_editor(model):
    async def edit(editor):
        return await editor.edit(FRAME, {})

    editor = AsyncEditor(Editor.open(model))
    asyncio.run(edit(editor))
    word, closed = outcomes_in_fork(lambda: asyncio.run(edit(editor)), lambda: asyncio.run(editor.close()))
    assert all_refused([word]) and closed == ""
    assert asyncio.run(edit(editor)).shape == FRAME.shape
    asyncio.run(editor.close())


def test_a_sampler(tmp_path):
    with Sampler.open(tiny_models.write_sampler(tmp_path)) as sampler:
        sampler.sample(1)
        word, closed = outcomes_in_fork(lambda: sampler.sample(1), lambda: sampler.close())
        assert all_refused([word]) and closed == ""
        assert len(sampler.sample(1)) == 1


def test_a_search_in_a_thread_that_is_not_there():
    lookout = Lookout(FaceFinder())
    for i in range(3):
        lookout.look(FRAME, float(i))
    let_go = hold(lookout._frames._changed)
    *words, closed = outcomes_in_fork(
        lambda: lookout.look(FRAME, 9.0),
        lambda: lookout.search(),
        lambda: lookout.reset(),
        lambda: lookout.close(),
    )
    let_go()
    assert all_refused(words) and closed == ""
    lookout.close()


def test_a_background_queue():
    errands, done = Errands("errands"), []
    errands.send(lambda: done.append(1))
    word, closed = outcomes_in_fork(lambda: errands.send(lambda: done.append(2)), lambda: errands.close())
    assert all_refused([word]) and closed == ""
    errands.send(lambda: done.append(3))
    errands.close()
    assert done == [1, 3]


_ENDS = """
import gc, os, sys, time
import numpy as np
from edgegan.runtime import Editor
editor = Editor.open(sys.argv[1], backend=sys.argv[2], threads=2)
editor.edit(np.zeros((64, 80, 3), np.uint8), {})
child = os.fork()
if not child:
    del editor
    gc.collect()
    sys.exit(7)
deadline, ended = time.monotonic() + 30, 0
while not ended and time.monotonic() < deadline:
    time.sleep(0.01)
    ended, status = os.waitpid(child, os.WNOHANG)
if not ended:
    os.kill(child, 9)
    os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status) if ended else "hangs")
editor.close()
"""


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_a_process_that_inherited_an_editor_ends_as_any_other(backend, model):
    """As the workers of a web server do that loads a program once and forks."""
    pytest.importorskip(backend)
    if not hasattr(os, "fork"):
        pytest.skip("this system does not fork")
    words = [sys.executable, "-c", _ENDS, str(model), backend]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == ["7"]
