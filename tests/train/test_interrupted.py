"""Training that ends early: killed, stopped by Ctrl-C, NaN."""

from __future__ import annotations

import _thread
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from support.training.tiny_runs import tiny_run, train

from edgegan import families
from edgegan.config import BaseConfig
from edgegan.families import Networks, Phase
from edgegan.runtime.errors import TrainingError
from edgegan.train.folder import checkpoint
from edgegan.train.folder.run import open_run, open_trained


def test_a_nan_stops_the_run_and_names_phase_and_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    family = families.get("stargan")
    phases = family.phases

    def poison(cfg: BaseConfig, nets: Networks) -> tuple[Phase, ...]:
        first, *rest = phases(cfg, nets)
        calls = [0]

        def loss_fn(step: families.Step) -> families.Loss:
            calls[0] += 1
            loss, parts = first.loss_fn(step)
            return (loss * float("nan"), parts) if calls[0] == 3 else (loss, parts)

        return (replace(first, loss_fn=loss_fn), *rest)

    monkeypatch.setattr(family, "phases", poison)
    run = tiny_run(tmp_path / "run", "stargan", checkpoint_images=8)
    with pytest.raises(TrainingError, match=r"phase D, round 3 .*total is nan"):
        train(run, 64)
    assert run.latest().header["images"] == 8  # the state before the bad step
    open_trained(run.folder)


def test_a_kill_at_any_moment_leaves_a_loadable_checkpoint(tmp_path: Path) -> None:
    run = tiny_run(tmp_path / "run", "stargan", images=100_000, checkpoint_images=4, sample_images=100_000)
    code = (
        "import sys; from pathlib import Path; from rich.console import Console\n"
        "from edgegan.train.folder.run import open_run; from edgegan.train.loop import *\n"
        "from edgegan.train.reporter import Reporter\n"
        "run = open_run(Path(sys.argv[1])); t = Trainer(run, torch.device('cpu'), threads=1)\n"
        "if run.checkpoints(): t.restore(run.latest())\n"
        "with Reporter(run, 100_000, t.images, Console(quiet=True)) as r: t.train(Budget(100_000), r)\n"
    )
    reached = 0
    for _ in range(2):
        child = subprocess.Popen([sys.executable, "-c", code, str(run.folder)], stderr=subprocess.PIPE)
        deadline = time.monotonic() + 120
        while not any(int(p.stem) > reached + 20 for p in run.checkpoints()):
            assert child.poll() is None, child.stderr and child.stderr.read().decode()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert child.stderr
        child.stderr.close()
        images = int(run.latest().header["images"])
        assert images > reached
        reached = images
        open_trained(run.folder)


def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "edgegan", "train", "stargan", "--preset", "avatars-64", "--data", "avatars:8"]
    small = ["conv_dim=4", "blocks=1", "d_conv_dim=4", "train.batch=4", "train.sample_images=100000"]
    command += [*(f"--set={s}" for s in small), "--out", str(folder), "--images", "100000", "--threads", "1"]
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "COLUMNS": "300"}
    )
    metrics = folder / "metrics.jsonl"
    deadline = time.monotonic() + 180
    while not (metrics.is_file() and metrics.stat().st_size):
        assert child.poll() is None and time.monotonic() < deadline, child.communicate()[0]
        time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    said, _ = child.communicate(timeout=60)
    assert child.returncode == 130, said
    assert f"edgegan train stargan --out {folder} --resume" in said
    assert "Traceback" not in said
    images = int(open_run(folder).latest().header["images"])
    assert images > 0 and json.loads(metrics.read_text().splitlines()[-1])["images"] <= images


def test_ctrl_c_in_the_middle_of_a_round_resumes_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    straight, broken = tiny_run(tmp_path / "a", "stargan"), tiny_run(tmp_path / "b", "stargan")
    train(straight, 32)
    family = families.get("stargan")
    phases = family.phases

    def interrupting(cfg: BaseConfig, nets: Networks) -> tuple[Phase, ...]:
        first, *rest = phases(cfg, nets)
        calls = [0]

        def loss_fn(step: families.Step) -> families.Loss:
            calls[0] += 1
            if calls[0] == 3:
                _thread.interrupt_main()
            return first.loss_fn(step)

        return (replace(first, loss_fn=loss_fn), *rest)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(family, "phases", interrupting)
            train(broken, 32)
    finally:
        signal.signal(signal.SIGINT, before)
    assert broken.latest().header["images"] == 12
    train(broken, 32, resume=True)
    one, two = straight.latest(), broken.latest()
    assert all(torch.equal(tensor, two.tensors[key]) for key, tensor in one.tensors.items())


def test_only_the_newest_checkpoints_are_kept_and_a_damaged_one_is_passed_over(tmp_path: Path) -> None:
    run = tiny_run(tmp_path / "run", "stargan", checkpoint_images=4, keep=2)
    train(run, 16)
    assert [int(p.stem) for p in run.checkpoints()] == [12, 16]
    newest = run.checkpoints()[-1]
    newest.write_bytes(newest.read_bytes()[:1000])
    assert run.latest().header["images"] == 12
    with pytest.raises(checkpoint.InputError, match="not a readable safetensors file"):
        checkpoint.load(newest)
