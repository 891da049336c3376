"""A pool: networks side by side, and clients that see nothing of each other."""

import threading
import time

import numpy as np
import pytest
from support import tiny_models

from edgegan.runtime import EditorPool
from edgegan.runtime.edit.pool import Lanes
from edgegan.runtime.errors import BackendError, InputError
from edgegan.runtime.live.sources.synthetic import Synthetic

SIZE = 32


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_models.write_editor(tmp_path_factory.mktemp("m"), size=SIZE)


@pytest.fixture(scope="module")
def pool(model):
    with EditorPool.open(model, size=2, backend="onnxruntime") as pool:
        yield pool


class Slow:
    """A backend that shows how many of its kind run at once. Not a network: threads alone are tested with it."""

    name, suffixes, devices, device, inputs, outputs, notices, selection = "slow", (), (), "cpu", (), (), (), None
    running = most = 0
    guard = threading.Lock()

    def __init__(self):
        self.calls, self.closed, self.own = 0, False, threading.Lock()

    def run(self, inputs):
        assert self.own.acquire(blocking=False), "one backend was used by two threads at once"
        if self.closed:
            raise BackendError("this backend is closed")
        with Slow.guard:
            Slow.running += 1
            Slow.most = max(Slow.most, Slow.running)
        time.sleep(0.02)
        with Slow.guard:
            Slow.running -= 1
        self.calls += 1
        self.own.release()
        return {}

    def close(self):
        assert not self.own.locked(), "closed while it ran"
        self.closed = True


def in_threads(count, work):
    threads = [threading.Thread(target=work, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    return threads


def test_lanes_run_side_by_side_each_for_one_caller_and_all_in_turn():
    made = []
    lanes = Lanes(lambda: made.append(Slow()) or made[-1], 3)
    Slow.most = 0
    for thread in in_threads(8, lambda _: [lanes.run({}) for _ in range(3)]):
        thread.join()
    assert Slow.most == 3 and sum(slow.calls for slow in made) == 24 and min(slow.calls for slow in made) >= 4
    refused = []

    def work(_):
        try:
            while True:
                lanes.run({})
        except BackendError as error:
            refused.append(str(error))

    threads = in_threads(6, work)
    time.sleep(0.05)
    lanes.close()
    lanes.close()
    for thread in threads:
        thread.join(5)
    assert refused == ["this backend is closed"] * 6 and all(slow.closed for slow in made)


def test_a_load_that_fails_frees_those_before_it():
    made = []

    def load():
        if len(made) == 2:
            raise BackendError("no memory")
        made.append(Slow())
        return made[-1]

    with pytest.raises(BackendError, match="no memory"):
        Lanes(load, 3)
    assert [slow.closed for slow in made] == [True, True]


def test_many_threads_get_what_one_would(pool):
    pictures = [np.full((SIZE, SIZE, 3), (20 * i, 90, 60), np.uint8) for i in range(6)]
    alone = [pool.translate(p, {"Smiling": 1.0}) for p in pictures]
    frames = [np.random.default_rng(i).integers(0, 256, (60, 80, 3), dtype=np.uint8) for i in range(6)]
    wrong = []

    def work(i):
        out = np.empty_like(pictures[i])
        for _ in range(10):
            if pool.translate(pictures[i], {"Smiling": 1.0}, out=out) is not out or not np.array_equal(out, alone[i]):
                wrong.append(i)
        if pool.edit(frames[i], {}).shape != (60, 80, 3) or len(pool.edit_batch(frames[:2], {})) != 2:
            wrong.append(i)

    for thread in in_threads(6, work):
        thread.join()
    assert not wrong


def test_clients_see_nothing_of_each_other(pool):
    pytest.importorskip("resvg_py")
    camera, other = Synthetic((240, 320), seed=2), Synthetic((240, 320), seed=5)
    mine = [camera.frame_at(i) for i in range(5)]
    with pool.client() as alone:
        expected = [alone.edit(f, {"Smiling": 1.0}, timestamp=i / 30) for i, f in enumerate(mine)]
    with pool.client() as here, pool.client() as there:
        there.choose("largest")
        for i, frame in enumerate(mine):
            there.edit(other.frame_at(i), {"Blond_Hair": 1.0}, timestamp=i / 30)
            assert np.array_equal(here.edit(frame, {"Smiling": 1.0}, timestamp=i / 30), expected[i])
        assert here.statistics.frames == 5
    with pool.client() as again:
        assert again.statistics.frames == 0


def test_a_pool_warms_every_network_and_closes_every_client(model):
    pool = EditorPool.open(model, size=3, backend="onnxruntime")
    ran = []
    for _ in range(3):
        lane = pool._first._backend._free.get()
        run = lane.run
        lane.run = lambda inputs, run=run, lane=lane: (ran.append(id(lane)), run(inputs))[1]
        pool._first._backend._free.put(lane)
    assert pool.warm_up((60, 80)) > 0 and len(set(ran)) == 3
    client = pool.client()
    pool.close()
    pool.close()
    for call in (client.edit, pool.edit):
        with pytest.raises(InputError, match="closed"):
            call(np.zeros((60, 80, 3), np.uint8), {})
    with pytest.raises(InputError, match="at least 1"):
        EditorPool.open(model, size=0)
