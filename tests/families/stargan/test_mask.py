"""The output mask, where a guide says what an edit changes."""

from __future__ import annotations

import msgspec
import pytest
import torch

from edgegan.families import Step, stargan
from edgegan.families.stargan import objective
from edgegan.families.stargan.players import Players
from edgegan.runtime.errors import InputError


def test_a_mask_penalty_costs_where_the_guide_changes_something() -> None:
    """Only in the edit that is asked for, and not for the codec's traces; without its weight nothing is computed."""
    cfg = msgspec.structs.replace(stargan.tiny(), mask=True, targets="single", lambda_open=1.0, lambda_guide=0.0)
    torch.manual_seed(0)
    players = Players.of(stargan.networks(cfg))
    count, names = 4, len(cfg.attributes)
    image = torch.zeros(count, 3, cfg.size, cfg.size)
    step = Step({"real": {"image": image, "label": torch.eye(names)[[0] * count]}}, 0, 0)
    slot = cfg.slots[0]
    batch = step.real
    batch["guide"] = image[:, None].expand(-1, names, -1, -1, -1) + 0.01
    batch["guided"] = torch.ones(count, names, 1, cfg.size, cfg.size)
    _, parts = objective.g_loss(cfg, players, step, slot)
    assert parts["open"].item() == 0.0
    batch["guide"] = batch["guide"].clone()
    batch["guide"][..., :4, :4] = 1.0
    total, parts = objective.g_loss(cfg, players, step, slot)
    target = objective.target_labels(cfg, step, slot)
    mask = players.g.parts(image, slot.condition(target))[1]
    assert mask is not None and (target != batch["label"]).any(1).all()
    inside = -torch.log(mask[:, :, :4, :4] + 1e-6).mean()
    share = 16 / cfg.size**2  # of the pixels, which change by 1
    assert parts["open"].item() == pytest.approx(inside.item() * share / (share + 1e-2), rel=1e-4)
    cfg = msgspec.structs.replace(cfg, lambda_open=0.0)
    less, parts = objective.g_loss(cfg, players, step, slot)
    assert "open" not in parts and less.item() < total.item()


@pytest.mark.parametrize("field", ["lambda_mask", "lambda_open"])
def test_a_weight_of_a_mask_that_is_not_there_is_refused(field):
    with pytest.raises(InputError, match=f"{field}=0.5 with mask=false") as refused:
        msgspec.structs.replace(stargan.tiny(), mask=False, **{field: 0.5})
    assert f"{field}=0" in refused.value.expected
    assert getattr(msgspec.structs.replace(stargan.tiny(), mask=True, **{field: 0.5}), field) == 0.5
