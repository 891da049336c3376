"""InfoGAN: the codes, the bound on what pictures tell of them, Q on the trunk, and both exports."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec.structs import replace
from support.training.resuming import resumes_exactly

from edgegan.config import with_settings
from edgegan.families import infogan
from edgegan.families.infogan import Config
from edgegan.families.infogan.codes import blocks_of, condition, draw_codes, information, read_codes
from edgegan.families.infogan.networks import Discriminator, Generator
from edgegan.runtime.errors import EdgeganError
from edgegan.runtime.generate import conditions

CFG = replace(infogan.tiny(), categorical=(10, 4), continuous=2)


def test_drawn_codes_are_one_hot_and_uniform_in_training_and_at_runtime() -> None:
    torch.manual_seed(0)
    for codes in (draw_codes(CFG, 4000, torch.device("cpu")), torch.from_numpy(conditions.draw(condition(CFG), 4000))):
        assert codes.shape == (4000, CFG.code_width == 16 and 16)
        parts = dict(blocks_of(CFG, codes))
        assert list(parts) == ["c1", "c2", "c3", "c4"]
        for name, values in (("c1", 10), ("c2", 4)):
            assert (parts[name].sum(1) == 1).all() and parts[name].max() == 1
            assert parts[name].mean(0) == pytest.approx(np.full(values, 1 / values), abs=0.03)
        assert parts["c3"].abs().max() <= 1 and parts["c3"].var().item() == pytest.approx(1 / 3, rel=0.05)


def test_the_bound_is_zero_without_an_opinion_and_the_entropy_with_certainty() -> None:
    torch.manual_seed(0)
    codes = draw_codes(CFG, 2000, torch.device("cpu"))
    _, nothing = information(CFG, codes, torch.zeros_like(codes))
    assert nothing["mi_c1"].item() == pytest.approx(0, abs=1e-5) and nothing["mi_c2"].item() == pytest.approx(
        0, abs=1e-5
    )
    assert nothing["mi_c3"].item() < 0, "the bound is loose where nothing is known"
    sure = torch.cat([50 * codes[:, :14], codes[:, 14:] + 0.01 * torch.randn(2000, 2)], dim=1)
    loss, everything = information(CFG, codes, sure)
    assert everything["mi_c1"].item() == pytest.approx(math.log(10), abs=1e-3)
    assert everything["mi_c2"].item() == pytest.approx(math.log(4), abs=1e-3)
    assert everything["mi_c3"].item() > 3
    assert loss.item() == pytest.approx(2 * 0.919, abs=1e-3), "the fixed deviation's constant alone"
    one, _ = information(replace(CFG, categorical=(), continuous=1), torch.tensor([[0.5]]), torch.tensor([[-0.5]]))
    assert one.item() == pytest.approx(0.5 + 0.919, abs=1e-3)


def test_the_weights_of_both_kinds_of_code_are_settings() -> None:
    torch.manual_seed(0)
    codes, guess = draw_codes(CFG, 8, torch.device("cpu")), torch.randn(8, 16)
    whole, _ = information(CFG, codes, guess)
    categorical, _ = information(replace(CFG, lambda_continuous=0.0), codes, guess)
    continuous, _ = information(replace(CFG, lambda_categorical=0.0), codes, guess)
    assert categorical.item() + continuous.item() == pytest.approx(whole.item(), rel=1e-5)
    assert categorical.item() > 0 < continuous.item()


def test_the_information_reaches_the_trunk_and_the_generator_but_not_the_score() -> None:
    torch.manual_seed(0)
    g, d = Generator(CFG), Discriminator(CFG)
    codes = draw_codes(CFG, 4, torch.device("cpu"))
    loss, _ = information(CFG, codes, d(g(torch.randn(4, CFG.nz), codes))[1])
    loss.backward()  # type: ignore[no-untyped-call]
    assert d.body.main[-1].weight.grad is None, "the score's own head learns nothing from Q"
    for weight in (d.body.main[0].weight, d.q[1].weight, g.body.main[0].weight):
        assert isinstance(weight, torch.Tensor) and weight.grad is not None and weight.grad.abs().sum() > 0


def test_both_heads_see_one_trunk() -> None:
    d = Discriminator(CFG).eval()
    image = torch.randn(3, 3, 16, 16)
    scores, estimates = d(image)
    assert torch.equal(scores, d.score(image)) and estimates.shape == (3, 16)
    codes = read_codes(CFG, estimates)
    parts = dict(blocks_of(CFG, codes))
    assert torch.allclose(parts["c1"].sum(1), torch.ones(3)) and parts["c3"].abs().max() <= 1


def test_the_model_takes_its_codes_by_name_and_q_comes_beside_it() -> None:
    torch.manual_seed(0)
    nets = infogan.networks(CFG)
    model, codes = infogan.exportable(CFG, nets, "")
    assert [spec.name for spec in model.card.inputs] == ["latent", "codes"]
    assert model.card.companions == {"codes": "codes.onnx"} and codes.name == "codes"
    told = model.card.condition
    assert (
        told.names[:2] == ("c1_0", "c1_1")
        and told.names[-1] == "c4"
        and told.ranges
        == {
            "c3": (-1.0, 1.0),
            "c4": (-1.0, 1.0),
        }
    )
    assert [len(group) for group in told.groups] == [10, 4]
    z = torch.randn(1, CFG.nz).repeat(2, 1)
    with torch.no_grad():
        pictures = model.module(z, torch.from_numpy(conditions.draw(told, 2)))
        read = codes.module(pictures)
        alone = codes.module(pictures[:1])
    assert (pictures[0] - pictures[1]).abs().max() > 1e-3, "the codes change nothing"
    assert read.shape == (2, 16) and torch.allclose(read[:1], alone, atol=1e-5)
    assert len(infogan.exportable(CFG, {"generator": nets["generator"]}, "")) == 1


def test_a_sheet_walks_one_code_a_row() -> None:
    cfg = infogan.tiny()
    torch.manual_seed(0)
    sheet = infogan.preview(cfg, infogan.networks(cfg), cfg.train.data)
    assert sheet.row_names == ["c1", "c1", "c1", "c2", "held out"]
    assert [sum(cell is not None for cell in row) for row in sheet.rows] == [3, 3, 3, 8, 8]
    walked = [cell.astype(int) for cell in sheet.rows[3] if cell is not None]
    ends = np.abs(walked[0] - walked[-1]).mean()
    assert ends > max(np.abs(a - b).mean() for a, b in zip(walked, walked[1:], strict=False)) > 0


def test_four_steps_equal_two_a_resume_and_two(tmp_path: Path) -> None:
    tensors = resumes_exactly("infogan", infogan.tiny(), tmp_path)
    assert any(key.startswith("net/discriminator/q.") for key in tensors)


@pytest.mark.parametrize(
    ("settings", "words"),
    [(["categorical=[]", "continuous=0"], "no code at all"), (["categorical=[1]"], "categorical"), (["nz=0"], "nz")],
)
def test_configurations_that_cannot_work_are_refused(settings: list[str], words: str) -> None:
    with pytest.raises(EdgeganError) as error:
        with_settings(Config(), settings)
    assert words in str(error.value)
