"""The training loop: exact resumption, survival of kills, and honest failure."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec
import pytest
import torch
from support.training.tiny_runs import CPU, QUIET, tiny_run, train

from edgegan import families
from edgegan.config import BaseConfig
from edgegan.families import Networks, Phase
from edgegan.runtime.errors import TrainingError
from edgegan.train.loop import Budget, Trainer
from edgegan.train.reporter import Reporter


@pytest.mark.parametrize("family", families.names())
def test_four_steps_equal_two_and_a_resume_and_two(tmp_path: Path, family: str) -> None:
    batch = families.get(family).tiny().train.batch
    settings = {"images": 4 * batch, "decay_images": 2 * batch}
    straight, halved = tiny_run(tmp_path / "a", family, **settings), tiny_run(tmp_path / "b", family, **settings)
    train(straight, 4 * batch)
    train(halved, 2 * batch)
    train(halved, 4 * batch, resume=True)
    one, two = straight.latest(), halved.latest()
    assert one.header["images"] == two.header["images"] == 4 * batch
    assert one.tensors.keys() == two.tensors.keys()
    assert any(key.startswith("optimiser/") for key in one.tensors)
    for key, tensor in one.tensors.items():
        assert torch.equal(tensor, two.tensors[key]), key


@pytest.mark.parametrize("family", families.names())
def test_training_changes_every_network_and_its_average(tmp_path: Path, family: str) -> None:
    run = tiny_run(tmp_path / "run", family)
    before = Trainer(run, CPU)
    after = train(run, 8 * run.cfg.train.batch)
    for name, net in after.nets.items():
        old = before.nets[name].state_dict()
        stuck = {k for k, v in net.state_dict().items() if torch.equal(v, old[k])}
        # A unit vector of one element (spectral norm of a layer with one output) can only be 1 or -1.
        stuck -= {k for k in stuck if k.endswith("_u") and old[k].numel() == 1}
        assert not stuck, f"{name}: {stuck} did not move"
    for name, average in after.ema.items():
        live = after.nets[name].state_dict()
        assert any(not torch.equal(v, live[k]) for k, v in average.state_dict().items())


def test_accumulated_gradients_equal_one_batch(tmp_path: Path) -> None:
    """With one real picture order and no batch-wise randomness, two halves make the same step as the whole."""
    whole = tiny_run(tmp_path / "whole", "stargan", batch=4, accumulate=1)
    parts = tiny_run(tmp_path / "parts", "stargan", batch=4, accumulate=2)
    for run in (whole, parts):  # a target that does not depend on who shares the batch
        run.cfg = msgspec.structs.replace(run.cfg, targets="single")
    one, two = train(whole, 4), train(parts, 4)
    for name in one.nets:
        for a, b in zip(one.nets[name].parameters(), two.nets[name].parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=3e-4)  # Adam's first step is the sign of the gradient


def test_the_learning_rate_really_falls_to_zero(tmp_path: Path) -> None:
    run = tiny_run(tmp_path / "run", "stargan", images=64, decay_images=32)
    trainer = Trainer(run, CPU)
    group = trainer.phases[0].optimiser.param_groups[0]
    full = group["lr"]
    seen = []
    for trainer.images in (0, 32, 48, 64):
        trainer.schedule.set(trainer.images)
        seen.append(group["lr"])
    assert seen == pytest.approx([full, full, full / 2, 0.0])


def test_the_cosine_falls_to_zero_and_through_the_same_middle(tmp_path: Path) -> None:
    run = tiny_run(tmp_path / "run", "stargan", images=64, decay_images=32, schedule="cosine")
    trainer = Trainer(run, CPU)
    group = trainer.phases[0].optimiser.param_groups[0]
    full = group["lr"]
    seen = []
    for trainer.images in (0, 32, 40, 48, 64):
        trainer.schedule.set(trainer.images)
        seen.append(group["lr"] / full)
    assert seen == pytest.approx([1, 1, 0.5 + 0.125**0.5, 0.5, 0])


def poison_gradients(monkeypatch: pytest.MonkeyPatch, calls: set[int]) -> None:
    """StarGAN whose D has infinite gradients, at a finite loss, in the given calls of its loss."""
    family = families.get("stargan")
    phases = family.phases

    def poison(cfg: BaseConfig, nets: Networks) -> tuple[Phase, ...]:
        first, *rest = phases(cfg, nets)
        count = [0]

        def loss_fn(step: families.Step) -> families.Loss:
            count[0] += 1
            loss, parts = first.loss_fn(step)
            if count[0] in calls:
                zero = next(first.module.parameters()).sum() * 0
                loss = loss + (zero.abs() + 0).sqrt()  # the slope of a root at 0
            return loss, parts

        return (replace(first, loss_fn=loss_fn), *rest)

    monkeypatch.setattr(family, "phases", poison)


def test_fp16_leaves_out_a_step_that_overflows_and_scales_by_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison_gradients(monkeypatch, {3})
    trainer = Trainer(tiny_run(tmp_path / "run", "stargan", precision="fp16", validate_images=0), CPU)
    trainer.update.scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    weights: list[torch.Tensor] = []
    scales: list[float] = []
    original = trainer.update

    def watch(phase: Phase, steps: list[families.Step], where: str) -> dict[str, float]:
        values = original(phase, steps, where)
        if phase.name == "D":
            weights.append(next(phase.module.parameters()).detach().clone())
            scales.append(original.scaler.get_scale())
        return values

    watch.scaler = original.scaler  # saved with the checkpoint
    monkeypatch.setattr(trainer, "update", watch)
    with Reporter(trainer.run, 16, 0, QUIET) as reporter:
        trainer.train(Budget(16), reporter)
    assert scales == [1024.0, 1024.0, 512.0, 512.0]
    assert not torch.equal(weights[0], weights[1])
    assert torch.equal(weights[1], weights[2])
    assert not torch.equal(weights[2], weights[3]) and weights[3].isfinite().all()
    resumed = Trainer(trainer.run, CPU)
    resumed.restore(trainer.run.latest())
    assert resumed.update.scaler.get_scale() == 512.0


def test_gradients_that_are_not_finite_stop_the_run_before_they_reach_the_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison_gradients(monkeypatch, {3})
    run = tiny_run(tmp_path / "run", "stargan", checkpoint_images=4)
    trainer = Trainer(run, CPU)
    with (
        pytest.raises(TrainingError, match=r"phase D, round 3 .*gradient is"),
        Reporter(run, 64, 0, QUIET) as reporter,
    ):
        trainer.train(Budget(64), reporter)
    assert all(p.isfinite().all() for net in trainer.nets.values() for p in net.parameters())


@pytest.mark.filterwarnings("ignore:The .grad attribute")  # PyTorch's own tracing
def test_compiled_training_is_eager_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Second derivatives cannot pass compiled code; the compiler's back end is left out, being slow to start."""
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))
    torch.compiler.reset()
    nets = []
    for name in ("eager", "compiled"):
        run = tiny_run(tmp_path / name, "stargan", compile=name == "compiled", validate_images=0)
        run.cfg = msgspec.structs.replace(run.cfg, adversarial="hinge-r1", r1_interval=1)
        nets.append(train(run, 8).nets)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] >= 3  # it was not eager after all
    for name, net in nets[0].items():
        for a, b in zip(net.parameters(), nets[1][name].parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=1e-6)


def test_a_fused_optimiser_goes_on_in_the_layout_of_its_parameters(tmp_path: Path) -> None:
    """Fused updates walk through memory: moments saved in one layout must come back in that of the weights."""
    run = tiny_run(tmp_path / "run", "stargan", channels_last=True)
    train(run, 8)
    trainer = Trainer(run, CPU)
    trainer.restore(run.latest())
    state = trainer.phases[0].optimiser.state
    assert all(group["fused"] for phase in trainer.phases for group in phase.optimiser.param_groups)
    assert any(not p.is_contiguous() for p in state)
    assert all(values["exp_avg"].stride() == p.stride() for p, values in state.items())
