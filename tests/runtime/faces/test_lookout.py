"""The face search beside the network."""

import threading
import time

import numpy as np
import pytest
from support.moving_faces import face_at

from edgegan.runtime.errors import InputError
from edgegan.runtime.faces.finder import FaceFinder
from edgegan.runtime.faces.lookout import Lookout
from edgegan.runtime.live.sources.synthetic import Synthetic


def test_a_reduced_frame_gives_the_faces_of_the_frame_itself():
    """The first frame is searched at once, and the second, reduced as well, by the thread."""
    pytest.importorskip("resvg_py", reason="the avatars extra is not installed")
    finder = FaceFinder()
    with Synthetic((720, 1280), seed=1) as camera:
        for frame in (camera.frame_at(0), np.pad(camera.frame_at(0)[::2, ::2], ((340, 21), (500, 141), (0, 0)))):
            lookout, (face,) = Lookout(finder), finder.find(frame)
            sightings = lookout.look(frame, 0.0)
            lookout.look(frame, 1.0)
            _until(lambda lookout=lookout, seen=sightings: seen.extend(lookout._take()) or len(seen) == 2)
            lookout.close()
            size = face.box[2]
            for found in (sightings[0].faces[0], sightings[1].faces[0]):
                for ours, theirs in (
                    (found.box, face.box),
                    (found.left_eye, face.left_eye),
                    (found.points, face.points),
                ):
                    assert np.abs(np.subtract(ours, theirs)).max() < 0.08 * size


def test_what_waits_to_be_searched_is_small_and_a_copy():
    class Still:
        """A finder that waits to be let go."""

        def __init__(self):
            self.go = threading.Event()

        def find(self, frame):
            self.go.wait(10.0)
            return []

    finder = Still()
    finder.go.set()
    lookout = Lookout(finder)
    lookout.look(np.zeros((8, 8, 3), np.uint8), 0.0)
    finder.go.clear()
    for hw, limit in (((720, 1280), 320 * 180), ((300, 200), 300 * 200)):
        frame = np.full((*hw, 3), 7, np.uint8)
        lookout.look(frame, 1.0)
        _until(lambda: not lookout._frames._items)  # the thread has taken it
        lookout.look(frame, 2.0)
        frame[:] = 9
        small = lookout._frames._items[0][0]
        assert small.shape[0] * small.shape[1] <= limit and (small == 7).all()
        finder.go.set()
        _until(lambda: not lookout._frames._items)
        finder.go.clear()
    finder.go.set()
    lookout.close()


def test_a_lookout_searches_the_newest_frame_and_forgets_with_a_reset():
    class Slow:
        """A finder whose answer names the frame, and which waits to be let go."""

        def __init__(self):
            self.go = threading.Semaphore(0)

        def find(self, frame):
            self.go.acquire()
            return [face_at(float(frame[0, 0, 0]), 0)]

    finder = Slow()
    lookout = Lookout(finder)
    frames = [np.full((8, 8, 3), value, np.uint8) for value in range(6)]
    finder.go.release()
    assert [s.timestamp for s in lookout.look(frames[0], 0.0)] == [0.0]  # at once
    assert lookout.look(frames[1], 1.0) == []
    _until(lambda: lookout._frames._items.__len__() == 0)  # the thread has taken it
    for number in (2, 3, 4):
        lookout.look(frames[number], float(number))
    finder.go.release(2)
    got = []
    _until(lambda: got.extend(lookout._take()) or len(got) == 2)
    assert [(s.timestamp, s.faces[0].box[0]) for s in got] == [(1.0, 1.0), (4.0, 4.0)]  # 2 and 3 gave way
    lookout.look(frames[5], 5.0)
    _until(lambda: not lookout._frames._items)
    lookout.reset()
    finder.go.release()  # for frame 5, or the one below
    finder.go.release()
    assert [s.timestamp for s in lookout.look(frames[0], 9.0)] == [9.0]
    lookout.look(frames[1], 10.0)
    finder.go.release()
    got.clear()
    _until(lambda: got.extend(lookout._take()) or got)
    assert [s.timestamp for s in got] == [10.0]  # and not 5.0, of the video before
    lookout.close()
    lookout.close()


def test_what_the_search_raises_comes_to_the_caller():
    class Broken:
        def find(self, frame):
            if frame[0, 0, 0]:
                raise InputError("no good")
            return []

    lookout = Lookout(Broken())
    lookout.look(np.zeros((4, 4, 3), np.uint8), 0.0)
    with pytest.raises(InputError, match="no good"):
        _until(lambda: lookout.look(np.ones((4, 4, 3), np.uint8), time.monotonic()) and False)
    lookout.close()


def test_two_threads_may_share_a_finder():
    pytest.importorskip("resvg_py", reason="the avatars extra is not installed")
    finder = FaceFinder()
    with Synthetic((240, 320)) as camera:
        frames = [camera.frame_at(i) for i in (0, 45)]
    alone = [finder.find(frame) for frame in frames]
    together: list = [[], []]

    def work(i):
        together[i] = [finder.find(frames[i]) for _ in range(8)]

    threads = [threading.Thread(target=work, args=(i,)) for i in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == [[alone[0]] * 8, [alone[1]] * 8] and alone[0] != alone[1]


def _until(done, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.002)
