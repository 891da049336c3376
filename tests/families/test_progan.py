"""ProGAN: the published sizes, growing without a jump, and what is exported while it grows."""

from __future__ import annotations

import copy
import io
import re
from pathlib import Path

import msgspec
import pytest
import torch
import torch.nn.functional as F
from rich.console import Console
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from edgegan.config import Training
from edgegan.families import progan
from edgegan.families.progan import Config, growth
from edgegan.families.progan.inference import Picture
from edgegan.families.progan.layers import Conv, Dense, Equalised, MinibatchDeviation, PixelNorm
from edgegan.families.progan.networks import Critic, Generator
from edgegan.runtime.errors import InputError
from edgegan.train.description import describe_run
from edgegan.train.folder import checkpoint
from edgegan.train.folder.run import Run
from edgegan.train.loop import Budget, Trainer
from edgegan.train.reporter import Reporter, Silence

TINY = progan.FAMILY.tiny()


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("cfg", "g_parameters", "d_parameters"),
    [
        (Config(size=1024, train=Training(batch=4)), 23_079_115, 23_087_249),
        (Config(size=64, base=512, widest=64, nz=64), 285_631, 286_545),
    ],
)
def test_the_networks_have_the_published_sizes(cfg: Config, g_parameters: int, d_parameters: int) -> None:
    nets = progan.FAMILY.networks(cfg)
    assert sum(p.numel() for p in nets["generator"].parameters()) == g_parameters
    assert sum(p.numel() for p in nets["critic"].parameters()) == d_parameters


def test_a_new_size_begins_as_the_old_one_and_ends_as_itself() -> None:
    """Between two levels both networks are the mean that the fade's share says, and at its ends exactly one of them."""
    g, d, z = Generator(TINY), Critic(TINY), noise(4, TINY.nz)
    with torch.no_grad():
        old, new = growth.double(g.draw(z, 0.0)), g.draw(z, 1.0)
        assert torch.equal(g.draw(z, 1e-12), old)
        assert torch.allclose(g.draw(z, 0.25), 0.75 * old + 0.25 * new, atol=1e-6)
        assert not torch.allclose(old, new, atol=0.1)
        image = noise(4, 3, 8, 8, seed=1)
        assert torch.allclose(d.score(image, 1e-12), d.score(F.avg_pool2d(image, 2), 0.0), atol=1e-6)
        assert torch.allclose(d.score(image, 1 - 1e-9), d.score(image, 1.0), atol=1e-6)
        assert not torch.allclose(d.score(image, 0.5), d.score(image, 1.0), atol=1e-4)
        real = noise(2, 3, 16, 16, seed=2)
        assert torch.equal(growth.fade(real, 2.0), real)
        assert torch.equal(growth.fade(real, 0.0), F.avg_pool2d(real, 4))
        faded = growth.fade(real, 1.5)
        assert torch.allclose(faded, 0.5 * real + 0.5 * growth.double(F.avg_pool2d(real, 2)), atol=1e-6)


def test_the_level_rises_through_every_size_and_stays() -> None:
    levels = [growth.level_at(TINY, images) for images in range(64)]
    assert levels == sorted(levels) and {0.0, 1.0, 2.0} <= set(levels) and levels[-1] == TINY.levels == 2
    assert [levels[i] for i in (7, 8, 12, 16, 24, 28)] == [0, 0, 0.5, 1, 1, 1.5]
    at_once = msgspec.structs.replace(TINY, fade_images=0)
    assert [growth.level_at(at_once, images) for images in (7, 8, 16, 99)] == [0, 1, 2, 2]
    names = [growth.stage(TINY, images).name for images in (0, 9, 17, 25, 33)]
    assert names == ["4 px", "8 px, fading in", "8 px", "16 px, fading in", "16 px"]


def test_growth_may_begin_at_any_size_up_to_the_last() -> None:
    later = msgspec.structs.replace(TINY, first_size=8)
    assert [growth.level_at(later, images) for images in (0, 7, 12, 16, 99)] == [1, 1, 1.5, 2, 2]
    assert growth.level_at(msgspec.structs.replace(TINY, first_size=16), 0) == 2
    with pytest.raises(InputError, match="first_size=32 at size=16"):
        Config(size=16, first_size=32)


def test_widths_may_be_said_one_by_one() -> None:
    cfg = msgspec.structs.replace(TINY, widths=(5, 7, 3))
    nets = progan.FAMILY.networks(cfg)
    assert [layer.out_channels for layer in nets["generator"].modules() if isinstance(layer, Conv)][:5] == [
        5,
        7,
        7,
        3,
        3,
    ]
    assert nets["critic"](nets["generator"](noise(4, TINY.nz)).repeat(1, 1, 4, 4)).shape == (4, 1)
    with pytest.raises(InputError, match="3: one for each size"):
        Config(size=16, widths=(5, 7))


def test_the_batch_doubles_with_each_halving_up_to_the_largest() -> None:
    cfg = Config(size=1024, train=Training(batch=4))
    assert [cfg.batch(level) for level in range(cfg.levels + 1)] == [128, 128, 128, 128, 64, 32, 16, 8, 4]
    with pytest.raises(InputError, match="group=4"):
        Config(size=64, train=Training(batch=6))


def test_the_minibatch_map_measures_the_spread_within_strided_groups() -> None:
    layer = MinibatchDeviation(4)
    equal = noise(1, 3, 4, 4).expand(8, 3, 4, 4)
    assert torch.allclose(layer(equal)[:, 3], torch.full((8, 4, 4), 1e-4), atol=1e-6)
    assert torch.allclose(layer(equal[:1])[:, 3], torch.full((1, 4, 4), 1e-4), atol=1e-6)
    x = noise(8, 3, 4, 4, seed=3)
    out = layer(x)
    assert torch.equal(out[:, :3], x)
    even = x[::2].std(0, correction=0).mean()  # pictures 0, 2, 4, 6 are one group
    assert torch.allclose(out[::2, 3], even.expand(4, 4, 4), atol=1e-5)
    assert not torch.allclose(out[1, 3], out[0, 3], atol=1e-4)
    swapped = x[[2, 1, 0, 3, 4, 5, 6, 7]]
    assert torch.allclose(layer(swapped)[:, 3], out[:, 3], atol=1e-6)


def test_equalised_layers_store_unit_weights_and_keep_the_size_of_a_signal() -> None:
    torch.manual_seed(0)
    for layer, x in (
        (Conv(256, 256, gain=1.0), noise(2, 256, 16, 16)),
        (Dense(1024, 512, gain=1.0), noise(64, 1024)),
    ):
        assert layer.weight.std().item() == pytest.approx(1, abs=0.01)
        assert layer(x).std().item() == pytest.approx(1, abs=0.05)


def test_the_length_of_a_latent_does_not_matter() -> None:
    torch.manual_seed(0)
    g, z = Generator(TINY), noise(4, TINY.nz)
    with torch.no_grad():
        assert torch.allclose(g.draw(z, 2.0), g.draw(3 * z, 2.0), atol=1e-3)
        assert not torch.allclose(g.draw(z, 2.0), g.draw(z.flip(0), 2.0), atol=0.1)


def test_a_latent_of_zeros_draws_a_picture_in_half_precision_too() -> None:
    assert torch.equal(PixelNorm()(torch.zeros(1, 8, 1, 1, dtype=torch.float16)), torch.zeros(1, 8, 1, 1).half())


def test_a_run_is_described_as_it_will_be_when_grown_up(tmp_path: Path) -> None:
    said = io.StringIO()
    run = new_run(tmp_path, size=32, base=512, widest=64)
    describe_run(run, Console(file=said, width=200))
    macs = [float(found) for found in re.findall(r" ([\d.]+) GMAC", said.getvalue())]
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        Generator(run.cfg).draw(noise(1, run.cfg.nz), 3.0)  # type: ignore[arg-type,attr-defined]
    assert len(macs) == 2 and macs[0] == pytest.approx(counter.get_total_flops() / 2e9, abs=6e-4) and min(macs) > 0.01


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0, 1.75, 2.0])
def test_what_is_exported_draws_the_same_at_the_final_size_with_plain_layers(level: float) -> None:
    g, z = Generator(TINY), noise(3, TINY.nz)
    g.grow(level)
    picture = Picture(TINY, g)
    with torch.no_grad():
        own = g(z).clamp(-1, 1)
        out = picture(z)
    assert out.shape == (3, 3, 16, 16)
    assert torch.equal(out[:, :, :: 16 // own.shape[-1], :: 16 // own.shape[-1]], own)
    assert all(layer.scale == 1 for layer in picture.modules() if isinstance(layer, Equalised))
    assert len(picture.generator.blocks) == -(-level // 1) + 1
    (spec,) = progan.FAMILY.exportable(TINY, {"generator": g}, "")
    assert bool(spec.note) == (level < 2)


def train(run: Run, images: int, *, resume: bool = False) -> Trainer:
    trainer = Trainer(run, torch.device("cpu"))
    if resume:
        trainer.restore(run.latest())
    trainer.train(Budget(images), Silence())
    return trainer


def new_run(folder: Path, **changes: object) -> Run:
    cfg = msgspec.structs.replace(TINY, **changes)
    cfg = msgspec.structs.replace(cfg, train=msgspec.structs.replace(cfg.train, sample_images=0, validate_images=0))
    return Run(folder, "progan", cfg, cfg.train.data)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tensor]:
    run = new_run(tmp_path_factory.mktemp("unbroken"), largest_batch=8)
    train(run, 48)
    return run.latest().tensors


@pytest.mark.parametrize("images", [8, 12, 16, 28, 36])
def test_a_resume_anywhere_in_the_growth_equals_an_unbroken_run(
    tmp_path: Path, unbroken: dict[str, Tensor], images: int
) -> None:
    """Before a fade, amid one, at its end, amid the next: weights, averages, moments and levels, bit for bit."""
    run = new_run(tmp_path / "run", largest_batch=8)
    train(run, images)
    stopped = run.latest().header["images"]
    trainer = train(run, 48, resume=True)
    found = run.latest()
    assert images <= stopped < 48 and found.header["stage"] == "16 px" == trainer.stage
    assert found.tensors.keys() == unbroken.keys()
    assert [k for k, t in found.tensors.items() if not torch.equal(t, unbroken[k])] == []
    assert float(found.tensors["ema/generator/level"]) == float(found.tensors["net/critic/level"]) == 2


def test_what_has_not_grown_yet_is_left_alone(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run")
    before = copy.deepcopy(Trainer(run, torch.device("cpu")).nets)
    after = train(run, 8)
    for name, unused in (("generator", ("blocks.1", "to_rgb.1")), ("critic", ("blocks.1", "from_rgb.1"))):
        old = before[name].state_dict()
        moved = {k for k, t in after.nets[name].state_dict().items() if not torch.equal(t, old[k])}
        assert any(k.startswith("blocks.0") for k in moved)
        assert not any(k.startswith(unused) for k in moved)
    optimiser = after.phases[0].optimiser
    saved = checkpoint.optimiser_tensors(optimiser)
    assert 0 < len({k.split("/")[0] for k in saved}) < checkpoint.count_parameters(optimiser)


def test_the_log_says_where_each_stage_begins(tmp_path: Path) -> None:
    said = io.StringIO()
    run = new_run(tmp_path / "run", largest_batch=8)
    trainer = Trainer(run, torch.device("cpu"))
    with Reporter(run, 48, 0, Console(file=said, width=200)) as reporter:
        trainer.train(Budget(48), reporter)
    told = [line for line in said.getvalue().splitlines() if "pictures a round" in line]
    assert told[0] == "0 images: 4 px, 8 pictures a round"
    assert told[-1] == "32 images: 16 px, 4 pictures a round"
