"""A lock on which a live stream goes before its guests, and keeps most of its pace.

The threads run in virtual time: every count below is exact, whatever else the machine does.
"""

import threading
from itertools import pairwise

import pytest
from support.virtual_time import VirtualTime

from edgegan.runtime.edit import session
from edgegan.runtime.edit.session import Turns

_WORK_S = 0.02


@pytest.fixture
def world(monkeypatch):
    world = VirtualTime()
    monkeypatch.setattr(session, "time", world)
    monkeypatch.setattr(session, "Condition", world.condition)
    return world


def occupy(world, lock, until_s, tally, gap_s):
    """Works under the lock again and again; keeps when each turn was asked for, began and ended."""
    while world.monotonic() < until_s:
        asked = world.monotonic()
        with lock:
            began = world.monotonic()
            world.sleep(_WORK_S)
            tally.append((asked, began, world.monotonic()))
        world.sleep(gap_s)


def side_by_side(world, locks, seconds, gap_s=0.0005):
    """What each lock's thread did, all at once."""
    end, tallies = world.monotonic() + seconds, [[] for _ in locks]
    jobs = zip(locks, tallies, strict=True)
    world.run(*(lambda lock=lock, tally=tally: occupy(world, lock, end, tally, gap_s) for lock, tally in jobs))
    return tallies


def test_one_at_a_time(world):
    turns = Turns()
    tallies = side_by_side(world, [turns, turns, turns.behind, turns.behind], 0.6)
    spans = sorted((began, ended) for tally in tallies for _, began, ended in tally)
    assert len(spans) >= 30  # no time was lost
    assert all(one[1] <= two[0] for one, two in pairwise(spans))


def test_one_at_a_time_of_real_threads():
    turns, inside, most = Turns(), [], []

    def work(lock):
        for _ in range(200):
            with lock:
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work, args=(lock,)) for lock in (turns, turns, turns.behind, turns.behind)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(most) == 800 and set(most) == {1}


def test_the_one_in_front_keeps_its_pace_and_those_behind_get_on(world):
    (alone,) = side_by_side(world, [Turns()], 1.0)
    turns = Turns()
    front, *behind = side_by_side(world, [turns, turns.behind, turns.behind, turns.behind], 1.0)
    assert len(front) >= 0.7 * len(alone)
    assert sum(map(len, behind)) >= 0.2 * len(alone)
    assert max(began - asked for asked, began, _ in front) <= _WORK_S + 1e-9  # one of those behind at most


@pytest.mark.parametrize("side", ["front", "behind"])
def test_those_of_one_side_share_evenly(world, side):
    """Though each comes back the moment that it has gone."""
    turns = Turns()
    lock = turns if side == "front" else turns.behind
    counts = [len(tally) for tally in side_by_side(world, [lock] * 3, 0.6, gap_s=0.0)]
    assert max(counts) - min(counts) <= 1 and sum(counts) >= 0.6 / _WORK_S / (1 if side == "front" else 2)


def test_what_the_front_leaves_goes_to_those_behind(world):
    turns = Turns()
    (alone,) = side_by_side(world, [turns.behind], 0.5)
    assert len(alone) >= 0.9 * 0.5 / _WORK_S
    two = side_by_side(world, [turns.behind, turns.behind], 0.8)
    assert abs(len(two[0]) - len(two[1])) <= 1 and sum(map(len, two)) >= 0.9 * 0.8 / _WORK_S


def test_the_front_goes_first_of_all_that_wait(world):
    turns, order = Turns(), []

    def hold():
        with turns.behind:
            world.sleep(_WORK_S)

    def enter(lock, name, after_s):
        world.sleep(after_s)
        with lock:
            order.append(name)

    world.run(hold, lambda: enter(turns.behind, "guest", 0.005), lambda: enter(turns, "stream", 0.01))
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
