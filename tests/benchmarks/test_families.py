"""The comparison of all families: none is left out, and the budget is the processor's time."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from edgegan import config
from edgegan import families as all_families

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import families


def test_every_family_has_a_row_at_the_common_size() -> None:
    assert {row.family for row in families.ROWS.values()} == set(all_families.names())
    for row in families.ROWS.values():
        cfg = config.load(all_families.get(row.family).Config, row.family, row.preset, families.settings_of(row))
        assert (cfg.size, cfg.train.data) == (families.SIZE, row.data)


def test_sleep_spends_none_of_the_budget_and_work_does() -> None:
    meter = families.Meter(0.2)
    time.sleep(0.3)
    meter.step(0, 1, {}, 0.0)
    began = time.process_time()
    while time.process_time() - began < 0.2:
        sum(range(1000))
    with pytest.raises(families.SpentError):
        meter.step(0, 2, {}, 0.0)


def test_a_run_trains_until_the_time_is_spent_and_is_not_trained_again(tmp_path: Path) -> None:
    row = families.Row("dcgan", "avatars-32", ("ngf=4", "ndf=4", "train.batch=4"), "avatars:16")
    families.train(row, tmp_path, 0.02)
    (checkpoint,) = (tmp_path / "checkpoints").glob("*.safetensors")
    before = checkpoint.stat().st_mtime_ns
    families.train(row, tmp_path, 0.02)
    assert checkpoint.stat().st_mtime_ns == before
