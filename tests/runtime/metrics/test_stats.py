"""What a live run tells of itself: percentiles by stage, rates, ages, losses and memory."""

import sys
import threading
import time

import numpy as np
import pytest

from edgegan.runtime.metrics.memory import resident_mb
from edgegan.runtime.metrics.stats import Stats
from edgegan.runtime.metrics.times import Times


def test_percentiles_are_those_of_the_samples_and_memory_is_bounded():
    stats = Stats()
    for i in range(10_000):
        stats.record("edit", i / 1000)
    times = stats.as_dict()["stages_ms"]["edit"]
    last = np.arange(10_000 - 4096, 10_000)
    assert times == {f"p{p}": pytest.approx(np.percentile(last, p), abs=1e-3) for p in (50, 95, 99)}
    assert stats.table()[1][0][0] == "edit"


def test_the_table_follows_the_road_of_a_frame_and_leaves_out_what_took_no_time():
    stages = ("age", "write", "network", "faces", "besides", "dress", "sharpen", "decode", "blend", "read", "encode")
    times = Times()
    for _ in range(3):
        for stage in (*stages, "process"):
            times.record(stage, 0.001)
        times.record("labels", 0.0)  # a stage that a model without labels passes
    head, rows = times.table()
    road = ["read", "decode", "faces", "network", "blend", "sharpen"]
    road += ["process", "besides", "dress", "encode", "write", "age"]
    assert head == ("stage", "p50 ms", "p95 ms", "p99 ms")
    assert [row[0] for row in rows] == road
    assert [name for name in times.percentiles_ms() if name != "labels"] == road
    assert times.percentiles_ms()["labels"]["p99"] == 0.0


def test_stages_can_be_recorded_and_read_from_several_threads():
    times = Times()

    def record():
        for number in range(2000):
            times.record(f"stage {number % 40}", 0.001)

    threads = [threading.Thread(target=record) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert all(ms == 1.0 for stage in times.percentiles_ms().values() for ms in stage.values())
    counts = {name: len(samples) for name, samples in times.newest(10_000).items()}
    assert counts == {f"stage {number}": 200 for number in range(40)}


def test_the_line_tells_rates_age_drops_losses_and_memory():
    stats = Stats()
    for number in range(4):
        stats.frame_read()
        stats.frames_dropped("model_busy", number % 2)
        stats.frame_shown(time.monotonic() - 0.25)
        time.sleep(0.02)
    assert "lost" not in " ".join(stats.line())
    for held_s in (1.0, 1.2, 1.4):
        stats.frame_read(held_s)
    stats.frame_read()
    for held_s in (1.0, 1.5):
        stats.frame_read(held_s)
    line = " | ".join(stats.line())
    assert "2 dropped: model busy" in line
    assert "25" in line.split("|")[1] and "ms old" in line
    assert "1 reconnects, 3 s lost" in line
    about = stats.as_dict()
    assert about["away"] == {"held": 5, "reconnects": 1, "seconds": 2.9}
    if sys.platform == "linux":
        assert " MB" in line
        assert 10 < about["memory_mb"]["now"] < 100_000
    assert about["memory_mb"]["growth_from_frame_2000"] is None


def test_memory_is_that_of_the_process():
    if resident_mb() is None:
        pytest.skip("this system does not tell")
    before = resident_mb()
    reserved, used = np.empty(400_000_000, np.uint8), np.ones(50_000_000, np.uint8)
    assert 40 < resident_mb() - before < 70
    del reserved, used


def test_the_growth_of_memory_counts_from_frame_2000():
    stats = Stats()
    for _ in range(1999):
        stats.frame_read()
    if not stats.memory():
        pytest.skip("this system does not tell")
    assert stats.memory().endswith(" MB")
    stats.frame_read()
    held = np.ones(30_000_000, np.uint8)
    grown = stats.as_dict()["memory_mb"]["growth_from_frame_2000"]
    assert 25 < grown < 45
    assert f"{grown:+.0f}"[:2] in stats.memory() and "since frame 2000" in stats.memory()
    del held
