"""The store of timings and counts: percentiles by stage, in the order of a frame's way, from any thread."""

import threading

import numpy as np
import pytest

from edgegan.runtime.metrics.tally import Tally


def test_percentiles_are_those_of_the_samples_and_memory_is_bounded():
    tally = Tally()
    for i in range(10_000):
        tally.record("edit", i / 1000)
    last = np.arange(10_000 - 4096, 10_000)
    expected = {f"p{p}": pytest.approx(np.percentile(last, p), abs=1e-3) for p in (50, 95, 99)}
    assert tally.percentiles_ms() == {"edit": expected}
    assert tally.table()[1][0][0] == "edit"


def test_the_table_follows_the_way_of_a_frame_and_leaves_out_what_took_no_time():
    stages = ("age", "write", "network", "faces", "besides", "dress", "sharpen", "decode", "blend", "read", "encode")
    tally = Tally()
    for _ in range(3):
        for stage in (*stages, "process"):
            tally.record(stage, 0.001)
        tally.record("labels", 0.0)  # a stage that a model without labels passes
    head, rows = tally.table()
    way = ["read", "decode", "faces", "network", "blend", "sharpen"]
    way += ["process", "besides", "dress", "encode", "write", "age"]
    assert head == ("stage", "p50 ms", "p95 ms", "p99 ms")
    assert [row[0] for row in rows] == way
    assert [name for name in tally.percentiles_ms() if name != "labels"] == way
    assert tally.percentiles_ms()["labels"]["p99"] == 0.0


def test_stages_and_counts_can_be_added_to_and_read_from_several_threads():
    tally = Tally()

    def add():
        for number in range(2000):
            tally.record(f"stage {number % 40}", 0.001)
            tally.count("frames", 2)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert all(ms == 1.0 for stage in tally.percentiles_ms().values() for ms in stage.values())
    counts = {name: len(samples) for name, samples in tally.newest(10_000).items()}
    assert counts == {f"stage {number}": 200 for number in range(40)}
    assert tally.total("frames") == 16_000 and tally.total("crops") == 0
