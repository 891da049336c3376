"""The face search in a thread."""

import subprocess
import sys
import threading

import numpy as np
import pytest
from support.faces.moving_faces import face_at

from edgegan.runtime.errors import InputError
from edgegan.runtime.faces.finder import FaceFinder
from edgegan.runtime.faces.lookout import Lookout
from edgegan.runtime.live.sources.synthetic import Synthetic


class Watched(FaceFinder):
    """A finder that says when a search begins; by then what the one before it found has been put down."""

    def __init__(self):
        super().__init__()
        self.began = threading.Semaphore(0)

    def find(self, frame, tiles=None):
        self.began.release()
        return super().find(frame, tiles)


class Held:
    """A finder whose answer names the frame's grey level, and which waits to be let go."""

    def __init__(self):
        self.began, self.go, self.given = threading.Semaphore(0), threading.Semaphore(0), []

    def find(self, frame, tiles=None):
        self.given.append(frame)
        self.began.release()
        assert self.go.acquire(timeout=60)
        return [face_at(float(frame[0, 0, 0]), 0)]


def await_begin(finder, searches=1):
    for _ in range(searches):
        assert finder.began.acquire(timeout=60)


def hand_over(lookout, frame, timestamp):
    """As an editor does: a frame is searched once it has been edited."""
    found = lookout.look(frame, timestamp)
    lookout.search()
    return found


def test_a_reduced_frame_gives_the_faces_of_the_frame_itself():
    """The first frame is searched at once, and the second, reduced as well, by the thread."""
    pytest.importorskip("resvg_py", reason="the avatars extra is not installed")
    with Synthetic((720, 1280), seed=1) as camera:
        for frame in (camera.frame_at(0), np.pad(camera.frame_at(0)[::2, ::2], ((340, 21), (500, 141), (0, 0)))):
            finder = Watched()
            lookout, (face,) = Lookout(finder), FaceFinder().find(frame)
            sightings = hand_over(lookout, frame, 0.0)
            for timestamp in (1.0, 2.0):
                hand_over(lookout, frame, timestamp)
                await_begin(finder, 2 if timestamp == 1.0 else 1)
            sightings += hand_over(lookout, frame, 3.0)
            lookout.close()
            assert [s.timestamp for s in sightings] == [0.0, 1.0]
            size = face.box[2]
            for found in (sightings[0].faces[0], sightings[1].faces[0]):
                for ours, theirs in (
                    (found.box, face.box),
                    (found.left_eye, face.left_eye),
                    (found.points, face.points),
                ):
                    assert np.abs(np.subtract(ours, theirs)).max() < 0.08 * size


def test_what_waits_to_be_searched_is_small_and_a_copy():
    finder = Held()
    finder.go.release()
    lookout = Lookout(finder)
    hand_over(lookout, np.zeros((8, 8, 3), np.uint8), 0.0)
    await_begin(finder)
    for hw, limit in (((720, 1280), 320 * 180), ((300, 200), 300 * 200)):
        frame = np.full((*hw, 3), 7, np.uint8)
        hand_over(lookout, frame, 1.0)
        await_begin(finder)  # the thread has taken it
        hand_over(lookout, frame, 2.0)
        frame[:] = 9
        finder.go.release()
        await_begin(finder)  # and now the one that waited
        small = finder.given[-1]
        assert small.shape[0] * small.shape[1] <= limit and (small == 7).all()
        finder.go.release()
    lookout.close()


def test_a_lookout_searches_the_newest_frame_and_forgets_with_a_reset():
    finder = Held()
    lookout = Lookout(finder)
    frames = [np.full((8, 8, 3), value, np.uint8) for value in range(8)]

    def places_of(sightings):
        return [(s.timestamp, s.faces[0].box[0]) for s in sightings]

    finder.go.release()
    assert places_of(hand_over(lookout, frames[0], 0.0)) == [(0.0, 0.0)]  # at once
    assert hand_over(lookout, frames[1], 1.0) == []
    await_begin(finder, 2)
    for number in (2, 3, 4):
        assert hand_over(lookout, frames[number], float(number)) == []
    finder.go.release()
    await_begin(finder)
    assert places_of(hand_over(lookout, frames[5], 5.0)) == [(1.0, 1.0)]
    finder.go.release()
    await_begin(finder)
    assert places_of(hand_over(lookout, frames[6], 6.0)) == [(4.0, 4.0)]  # 2 and 3 gave way
    lookout.reset()  # while 5 is searched and 6 waits
    finder.go.release(2)
    assert places_of(hand_over(lookout, frames[0], 9.0)) == [(9.0, 0.0)]
    await_begin(finder, 2)  # that, and the one of 6
    assert hand_over(lookout, frames[1], 10.0) == []  # not 5, of the video before
    finder.go.release()
    await_begin(finder)
    assert hand_over(lookout, frames[2], 11.0) == []  # not 6
    finder.go.release()
    await_begin(finder)
    assert places_of(hand_over(lookout, frames[3], 12.0)) == [(10.0, 1.0)]
    finder.go.release(2)
    lookout.close()
    lookout.close()


def test_what_the_search_raises_comes_to_the_caller():
    class Broken:
        def __init__(self):
            self.began = threading.Semaphore(0)

        def find(self, frame, tiles=None):
            self.began.release()
            if frame[0, 0, 0]:
                raise InputError("no good")
            return []

    finder = Broken()
    lookout = Lookout(finder)
    hand_over(lookout, np.zeros((4, 4, 3), np.uint8), 0.0)
    hand_over(lookout, np.ones((4, 4, 3), np.uint8), 1.0)
    await_begin(finder, 2)
    lookout.close()  # the thread has ended
    with pytest.raises(InputError, match="no good"):
        hand_over(lookout, np.ones((4, 4, 3), np.uint8), 2.0)


def test_a_search_begins_when_the_frame_has_been_edited_or_with_the_next_one_at_the_latest():
    finder = Held()
    finder.go.release(9)
    lookout = Lookout(finder)
    grey = [np.full((8, 8, 3), value, np.uint8) for value in range(4)]
    lookout.look(grey[0], 0.0)
    await_begin(finder)
    lookout.look(grey[1], 1.0)
    assert not finder.began.acquire(timeout=0.2)
    lookout.search()
    await_begin(finder)
    lookout.search()  # there is nothing more to search
    lookout.look(grey[2], 2.0)
    assert not finder.began.acquire(timeout=0.2)
    lookout.look(grey[3], 3.0)  # the one before was never said to be done
    await_begin(finder)
    lookout.reset()
    lookout.search()
    lookout.close()
    assert [int(frame[0, 0, 0]) for frame in finder.given] == [0, 1, 2]


def test_a_program_may_end_in_the_middle_of_a_search():
    """Without `close`, from inside of OpenCV: the search is waited for."""
    program = """
from threading import Semaphore
import numpy as np
from edgegan.runtime.faces.finder import FaceFinder
from edgegan.runtime.faces.lookout import Lookout

began = Semaphore(0)

class Slow(FaceFinder):
    def find(self, frame, tiles=None):
        began.release()
        found = [super(Slow, self).find(frame, tiles) for _ in range(100)]
        print("searched", flush=True)
        return found[0]

lookout = Lookout(Slow())
for timestamp in range(2):
    lookout.look(np.full((160, 160, 3), 90, np.uint8), float(timestamp))
    lookout.search()
    began.acquire()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "searched\nsearched\n", "")


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
