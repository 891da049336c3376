"""FastGAN: the published networks, what makes them ready to run, and how they train."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from rich.console import Console
from support.official.fastgan import State, reference_discriminator, reference_generator
from support.training.chance import chance

from edgegan.config import with_settings
from edgegan.families import ImportOptions, Step, fastgan
from edgegan.families.fastgan import Config
from edgegan.families.fastgan.discriminator import Discriminator, quadrants
from edgegan.families.fastgan.networks import Generator
from edgegan.families.fastgan.objective import margins
from edgegan.lpips import Lpips, find_heads
from edgegan.runtime.errors import EdgeganError, InputError
from edgegan.sheet import Sheet
from edgegan.train.folder import checkpoint
from edgegan.train.folder.run import Run
from edgegan.train.loop import Budget, Trainer
from edgegan.train.reporter import Reporter


@pytest.mark.parametrize(
    ("size", "g_parameters", "g_tensors", "g_entries", "d_parameters"),
    [
        (256, 29_127_846, 44, 110, 11_526_160),
        (512, 29_174_392, 54, 134, 11_526_496),
        (1024, 29_176_512, 57, 142, 11_528_192),
    ],
)
def test_the_networks_have_the_published_sizes(
    size: int, g_parameters: int, g_tensors: int, g_entries: int, d_parameters: int
) -> None:
    nets = fastgan.networks(Config(size=size))
    g, d = nets["generator"], nets["discriminator"]
    assert sum(p.numel() for p in g.parameters()) == g_parameters
    assert (len(list(g.parameters())), len(g.state_dict())) == (g_tensors, g_entries)
    assert sum(p.numel() for p in d.parameters()) == d_parameters
    assert sum(p.numel() for n, p in d.named_parameters() if n.startswith("decoder")) == 3_139_488
    # The authors' files may hold the average as a list of tensors in this order.
    order = ["init", "feat_8", "feat_16", "feat_32", "feat_64", "feat_128", "feat_256"]
    order += ["se_64", "se_128", "se_256", "to_128", "to_big", "feat_512", "se_512", "feat_1024"]
    kept = order if size == 1024 else order[: {256: -3, 512: -1}[size]]
    assert list(dict.fromkeys(name.partition(".")[0] for name, _ in g.named_parameters())) == kept


@pytest.mark.parametrize("size", [64, 128, 256, 512, 1024])
def test_the_generator_computes_what_the_published_layout_says(size: int) -> None:
    g = _scatter(Generator(size, 16, 8, min(128, size // 2)))
    z = torch.randn(2, 16, generator=chance(1))
    style = torch.randn(2, 16, generator=chance(2))
    with torch.no_grad():
        for given in (None, style) if size < 1024 else (None,):
            big, small = g(z, given)
            expected_big, expected_small = reference_generator(g.state_dict(), size, z, given)
            assert big.shape == (2, 3, size, size) and big.std() > 0.01
            assert (big - expected_big).abs().max() < 1e-4 * expected_big.abs().max()
            assert (small - expected_small).abs().max() < 1e-4 * expected_small.abs().max()


@pytest.mark.parametrize("size", [64, 128, 256, 512, 1024])
def test_the_discriminator_computes_what_the_published_layout_says(size: int) -> None:
    small_edge = min(128, size // 2)
    d = _scatter(Discriminator(size, 8, small_edge))
    big = torch.randn(2, 3, size, size, generator=chance(1))
    small = torch.randn(2, 3, small_edge, small_edge, generator=chance(2))
    with torch.no_grad():
        scores = d(big, small)
        expected = reference_discriminator(d.state_dict(), size, big, small)
        recs = d.reconstruct(d.features(big, small), torch.tensor([0, 3]))
    assert scores.shape == (2, 50)
    assert (scores - expected).abs().max() < 1e-4 * expected.abs().max()
    assert all(rec.shape == (2, 3, min(128, size), min(128, size)) for rec in recs)


def test_hinge_margins_lie_between_08_and_1_and_belong_to_the_picture() -> None:
    whole = margins(Step({}, first_image=16, seed=1), (8, 50), 4)
    assert whole.min() >= 0.8 and whole.max() <= 1 and whole.std() > 0.05
    half = margins(Step({}, first_image=20, seed=1), (4, 50), 4)
    assert torch.equal(whole[4:], half)
    assert not torch.equal(whole, margins(Step({}, first_image=16, seed=1), (8, 50), 5))


def test_a_quadrant_is_the_corner_its_number_says() -> None:
    x = torch.arange(32.0).view(2, 1, 4, 4)
    assert quadrants(x, torch.tensor([1, 2])).tolist() == [[[[2, 3], [6, 7]]], [[[24, 25], [28, 29]]]]


def test_four_steps_equal_two_a_resume_and_two(tmp_path: Path) -> None:
    cfg = fastgan.tiny()
    batch = cfg.train.batch

    def run(name: str) -> Run:
        (tmp_path / name).mkdir()
        return Run(tmp_path / name, "fastgan", cfg, cfg.train.data)

    def train(run: Run, images: int, resume: checkpoint.Checkpoint | None = None) -> dict[str, torch.Tensor]:
        trainer = Trainer(run, torch.device("cpu"))
        trainer._sample = lambda reporter: None  # type: ignore[method-assign]
        if resume is not None:
            trainer.restore(resume)
        with Reporter(run, images, 0, Console(quiet=True)) as reporter:
            trainer.train(Budget(images), reporter)
        return run.latest().tensors

    through = train(run("through"), 4 * batch)
    halves = run("halves")
    train(halves, 2 * batch)
    resumed = train(halves, 4 * batch, halves.latest())
    assert through.keys() == resumed.keys()
    assert [k for k in through if not torch.equal(through[k], resumed[k])] == []
    averaged = [k for k in through if k.startswith("ema/") and k.endswith("running_mean")]
    assert averaged and all(torch.equal(through[k], through[k.replace("ema/", "net/")]) for k in averaged)
    key = "generator/to_big.weight_orig"
    assert not torch.equal(through[f"ema/{key}"], through[f"net/{key}"])


def test_looking_at_a_preview_changes_nothing() -> None:
    cfg = fastgan.tiny()
    nets = fastgan.networks(cfg)
    before = {n: {k: t.clone() for k, t in net.state_dict().items()} for n, net in nets.items()}
    sheet = fastgan.preview(cfg, nets, cfg.train.data)
    assert isinstance(sheet, Sheet) and sheet.row_names[-3:] == ["whole", "from small", "quadrant"]
    assert all(torch.equal(t, before[n][k]) for n, net in nets.items() for k, t in net.state_dict().items())
    assert all(net.training for net in nets.values())


@pytest.mark.parametrize("size", [256, 512])
def test_both_kinds_of_published_file_give_the_samechance(size: int) -> None:
    cfg = Config(size=size, ngf=8, ndf=8, nz=16)
    nets = fastgan.networks(cfg)
    live, average = (_scatter(Generator(size, 16, 8, 128), seed) for seed in (1, 2))
    buffers = dict(live.named_buffers())
    published = {k: buffers.get(k, t) for k, t in average.state_dict().items()}
    d = nets["discriminator"].state_dict()
    listed = [p.detach() for p in average.parameters()]
    both = {"g": _add_prefix(live.state_dict()), "d": _add_prefix(d), "g_ema": listed, "opt_g": {}, "opt_d": {}}
    by_name = {**both, "g_ema": dict(average.named_parameters())}
    options = ImportOptions()
    found = [
        fastgan.import_official({"100.pth": {"g": published, "d": d}}, options),
        fastgan.import_official({"all_100.pth": both}, options),
        fastgan.import_official({"all_100.pth": by_name}, options),
    ]
    for imported in found:
        assert imported is not None
        assert (imported.cfg.size, imported.cfg.ngf, imported.cfg.ndf, imported.cfg.nz) == (size, 8, 8, 16)  # type: ignore[attr-defined]
        assert imported.images == 800
        assert imported.networks["generator"].keys() == published.keys()
        assert all(torch.equal(t, published[k]) for k, t in imported.networks["generator"].items())
        assert imported.networks["discriminator"].keys() == d.keys()


def test_checkpoints_that_do_not_fit_are_refused_in_words() -> None:
    g = Generator(256, 16, 8, 128)
    state, listed = g.state_dict(), [p.detach() for p in g.parameters()]

    def load(document: Any, **options: Any) -> Any:
        return fastgan.import_official({"all_8.pth": document}, ImportOptions(**options))

    assert load({"main.0.weight": torch.zeros(1)}) is None
    assert load([1, 2]) is None
    with pytest.raises(InputError, match="list of 43 tensors") as length:
        load({"g": dict(state), "g_ema": listed[:-1]})
    assert "44" in length.value.expected
    with pytest.raises(InputError, match="g_ema does not fit"):
        load({"g": dict(state), "g_ema": [*listed[1:], listed[0]]})
    with pytest.raises(InputError, match="--size 512.*trained at 256"):
        load({"g": dict(state)}, size=512)
    with pytest.raises(InputError, match="se_64.main.1.weight_orig is missing"):
        load({"g": {k: t for k, t in state.items() if k != "se_64.main.1.weight_orig"}})
    odd = load({"g": {**state, "extra.weight": torch.zeros(1)}, "d": {"rf_big.0.weight_orig": torch.zeros(128, 1)}})
    assert "discriminator" not in odd.networks
    assert any("extra.weight" in note for note in odd.notes) and any("discriminator" in note for note in odd.notes)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("ngf=3", "ngf=3"),
        ("noise=loud", "frozen:SEED"),
        ("reconstruction=lpips", "lpips_weights"),
        ("size=96", "size"),
        ("bn_latents=1", "bn_latents"),
    ],
)
def test_configurations_that_cannot_work_are_refused(setting: str, words: str) -> None:
    with pytest.raises(EdgeganError) as error:
        with_settings(Config(), [setting])
    assert words in str(error.value)


def test_lpips_is_the_weighed_distance_of_unit_features(tmp_path: Path) -> None:
    file, rng = tmp_path / "vgg16.pth", chance(9)
    blocks = ((64, (0, 2)), (128, (5, 7)), (256, (10, 12, 14)), (512, (17, 19, 21)), (512, (24, 26, 28)))
    state, before = {}, 3
    for width, places in blocks:
        for place in places:
            state[f"features.{place}.weight"] = torch.randn(width, before, 3, 3, generator=rng) * (before * 4.5) ** -0.5
            state[f"features.{place}.bias"] = torch.randn(width, generator=rng) * 0.1
            before = width
    torch.save(state, file)
    heads = torch.load(find_heads(), map_location="cpu", weights_only=True)
    a, b = torch.rand(2, 2, 3, 32, 32, generator=rng) * 2 - 1
    mean, std = torch.tensor([-0.030, -0.088, -0.188]), torch.tensor([0.458, 0.448, 0.450])
    x = (torch.cat([a, b]) - mean[:, None, None]) / std[:, None, None]
    expected = torch.zeros(2)
    for number, (_, places) in enumerate(blocks):
        x = F.max_pool2d(x, 2) if number else x
        for place in places:
            x = F.relu(F.conv2d(x, state[f"features.{place}.weight"], state[f"features.{place}.bias"], padding=1))
        one, other = F.normalize(x, dim=1).chunk(2)
        expected += F.conv2d((one - other) ** 2, heads[f"lin{number}.model.1.weight"]).mean((1, 2, 3))
    ours = Lpips(file)
    assert torch.allclose(ours(a, b), expected, rtol=1e-3)
    assert ours(a, a).abs().max() == 0 and ours(a, b).min() > 0
    assert not any(p.requires_grad for p in ours.parameters())
    torch.save({"weight": torch.zeros(1)}, file)
    with pytest.raises(InputError, match="no VGG16 weights"):
        Lpips(file)
    with pytest.raises(InputError, match="no file"):
        Lpips(tmp_path / "nothing.pth")


def _scatter(net: Any, seed: int = 0) -> Any:
    """The network in eval mode with random weights, statistics and spectral vectors, all far from their defaults."""
    rng = chance(seed)
    with torch.no_grad():
        for key, tensor in net.state_dict().items():
            if key.endswith("running_var"):
                tensor.copy_(torch.rand(tensor.shape, generator=rng) + 0.1)
            elif key.endswith(("weight_u", "weight_v")):
                tensor.copy_(F.normalize(torch.rand(tensor.shape, generator=rng), dim=0))
            elif tensor.is_floating_point():
                tensor.copy_(torch.randn(tensor.shape, generator=rng) * 0.2 + 0.1)
    return net.eval()


def _add_prefix(state: State) -> State:
    return {f"module.{k}": t for k, t in state.items()}
