"""What a live run tells of itself, by a clock and a memory that the test moves: rates, ages, losses, growth."""

import json
import subprocess
import sys

import msgspec
import pytest

from edgegan.runtime.metrics.live import LiveTally, resident_mb

_PROCESS = """
import numpy as np
from edgegan.runtime.metrics.live import resident_mb
empty = resident_mb()
reserved = np.empty(400_000_000, np.uint8)
print(resident_mb() - empty < 40)
used = np.ones(200_000_000, np.uint8)
print(200 - 40 < resident_mb() - empty < 200 + 40)
"""


class World:
    """A clock and a memory that stand still until they are moved."""

    def __init__(self):
        self.now_s, self.held_mb = 100.0, 80.0

    def tally(self):
        return LiveTally(now=lambda: self.now_s, memory_mb=lambda: self.held_mb)


def test_the_line_tells_rates_age_drops_losses_and_memory():
    world = World()
    tally = world.tally()
    for number in range(5):
        tally.count_read()
        tally.count_dropped("model_busy", number % 2)
        tally.count_shown(world.now_s - 0.25)
        world.now_s += 0.1
    assert tally.line() == ["10.0 fps in, 10.0 out", "250 ms old", "2 dropped: model busy", "80 MB"]
    for held_s in (1.0, 1.2, 1.4):
        tally.count_read(held_s)
    tally.count_read()
    for held_s in (1.0, 1.5):
        tally.count_read(held_s)
    assert "1 reconnects, 3 s lost" in tally.line()
    away = tally.statistics().away
    assert (away.held, away.reconnects, away.seconds) == (5, 1, 2.9)
    assert tally.summary().endswith("; the source was away for 2.9 s and came back once")


def test_rates_are_those_of_the_clock_now_and_over_the_run():
    world = World()
    tally = world.tally()
    for number in range(41):  # 20 a second come, and every second one is shown
        tally.count_read()
        if number % 2 == 0:
            tally.count_shown(world.now_s)
        else:
            tally.count_dropped("model_busy")
        world.now_s += 0.05
    about = tally.statistics()
    assert (about.fps.in_, about.fps.out) == (20.0, 10.0) and about.seconds == 2.0
    assert tally.fps_in() == pytest.approx(20.0) and tally.recent()[0] == pytest.approx(10.0)
    assert tally.summary() == "41 frames read, 21 shown (20.0 fps in, 10.0 fps out); dropped: 20 model busy"
    world.now_s += 10  # and none of these moments
    assert tally.fps_in() == 0.0 and tally.recent() == (0.0, 0.0)
    assert tally.statistics().fps.in_ == 20.0


def test_the_growth_of_memory_counts_from_frame_2000():
    world = World()
    tally = world.tally()
    for _ in range(1999):
        tally.count_read()
    world.held_mb = 90.0
    assert tally.memory() == "memory: 90 MB"
    assert tally.statistics().memory_mb.growth_from_frame_2000 is None
    tally.count_read()
    world.held_mb = 95.5
    assert tally.memory() == "memory: 96 MB, +5.5 MB since frame 2000"
    assert tally.statistics().memory_mb.growth_from_frame_2000 == 5.5
    world.held_mb = None
    assert tally.memory() == "" and tally.statistics().memory_mb.now is None


def test_figures_as_json_keep_their_names():
    tally = World().tally()
    tally.count_read()
    tally.record("network", 0.002)
    assert json.loads(msgspec.json.encode(tally.statistics())) == {
        "seconds": 0.0,
        "frames": {"read": 1, "shown": 0, "dropped": {}},
        "away": {"held": 0, "reconnects": 0, "seconds": 0.0},
        "memory_mb": {"now": 80.0, "growth_from_frame_2000": None},
        "fps": {"in": None, "out": None},
        "stages_ms": {"network": {"p50": 2.0, "p95": 2.0, "p99": 2.0}},
    }


def test_memory_is_what_the_process_uses():
    """In a process of its own, where nothing else comes and goes."""
    if resident_mb() is None:
        pytest.skip("this system does not tell")
    done = subprocess.run([sys.executable, "-c", _PROCESS], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["True", "True"], done.stderr
