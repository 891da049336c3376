"""A lock on which a live stream goes before its guests, and keeps most of its pace."""

import threading
import time
from itertools import pairwise

import pytest

from edgegan.runtime.edit.priority_lock import Turns

_WORK_S = 0.02


def occupy(lock, until_s, tally, gap_s):
    """Works under the lock again and again; keeps when each turn began and ended."""
    while time.monotonic() < until_s:
        asked = time.monotonic()
        with lock:
            began = time.monotonic()
            time.sleep(_WORK_S)
            tally.append((asked, began, time.monotonic()))
        if gap_s:
            time.sleep(gap_s)


def side_by_side(locks, seconds, gap_s=0.0005):
    """What each lock's thread did, all at once."""
    end, tallies = time.monotonic() + seconds, [[] for _ in locks]
    jobs = zip(locks, tallies, strict=True)
    threads = [threading.Thread(target=occupy, args=(lock, end, tally, gap_s)) for lock, tally in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tallies


def test_one_at_a_time():
    turns = Turns()
    tallies = side_by_side([turns, turns, turns.behind, turns.behind], 0.6)
    spans = sorted((began, ended) for tally in tallies for _, began, ended in tally)
    assert len(spans) > 15
    assert all(one[1] <= two[0] for one, two in pairwise(spans))


def test_the_one_in_front_keeps_its_pace_and_those_behind_get_on():
    (alone,) = side_by_side([Turns()], 1.0)
    turns = Turns()
    front, *behind = side_by_side([turns, turns.behind, turns.behind, turns.behind], 1.0)
    assert len(front) > 0.65 * len(alone)
    assert sum(map(len, behind)) >= 0.15 * len(alone)
    assert max(began - asked for asked, began, _ in front) < 2 * _WORK_S  # one of those behind at most


@pytest.mark.parametrize("side", ["front", "behind"])
def test_those_of_one_side_share_evenly(side):
    """Though each comes back the moment that it has gone."""
    turns = Turns()
    lock = turns if side == "front" else turns.behind
    counts = [len(tally) for tally in side_by_side([lock] * 3, 0.6, gap_s=0.0)]
    assert max(counts) - min(counts) <= 2


def test_what_the_front_leaves_goes_to_those_behind():
    turns = Turns()
    (alone,) = side_by_side([turns.behind], 0.5)
    assert len(alone) > 0.7 * 0.5 / _WORK_S
    two = side_by_side([turns.behind, turns.behind], 0.8)
    assert min(map(len, two)) > 0


def test_the_front_goes_first_of_all_that_wait():
    turns, order = Turns(), []

    def enter(lock, name):
        with lock:
            order.append(name)

    with turns.behind:
        time.sleep(_WORK_S)  # what those behind have had, so that nothing is due to them
        guest = threading.Thread(target=enter, args=(turns.behind, "guest"))
        guest.start()
        time.sleep(0.01)
        stream = threading.Thread(target=enter, args=(turns, "stream"))
        stream.start()
        time.sleep(0.01)
    for thread in (guest, stream):
        thread.join(2)
    assert order == ["stream", "guest"]


@pytest.mark.parametrize("side", ["front", "behind"])
def test_an_error_gives_the_lock_back(side):
    turns = Turns()
    with pytest.raises(ValueError, match="inside"), turns if side == "front" else turns.behind.behind:
        raise ValueError("inside")
    with turns, pytest.raises(AssertionError):
        raise AssertionError
    with turns.behind:
        pass
