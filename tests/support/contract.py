"""What every family must keep, one property a function; each asserts it of the family called `name`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from edgegan import families
from edgegan.data._files.fingerprint import compare_streams, describe_pictures
from edgegan.runtime.model.card import ModelCard


def keeps_the_contract(name: str) -> None:
    family = families.get(name)
    cfg = family.tiny()
    nets = family.networks(cfg)
    assert set(family.EMA) <= set(nets)
    assert family.TITLE
    for network, net in nets.items():
        net(*family.example_inputs(cfg, network))
    phases = family.phases(cfg, nets)
    assert len({p.name for p in phases}) == len(phases)
    owned = {id(p) for phase in phases for p in phase.module.parameters()}
    assert owned == {id(p) for net in nets.values() for p in net.parameters()}, "a parameter that no phase trains"


def exports_are_eval_float32_modules_whose_card_tells_the_truth(name: str) -> None:
    family = families.get(name)
    cfg = family.tiny()
    specs = family.exportable(cfg, family.networks(cfg), cfg.train.data)
    for spec in specs:
        assert not spec.module.training
        assert ModelCard.from_json(spec.card.to_json()) == spec.card
        assert {"fp32", "fp16"} <= set(spec.tolerances)
        golden = spec.golden(2)
        assert [t.name for t in spec.card.inputs] == list(golden)
        with torch.no_grad():
            out = spec.module(*(torch.from_numpy(golden[t.name][:1]) for t in spec.card.inputs))
        (declared,) = spec.card.outputs
        assert tuple(out.shape) == declared.shape
        low, high = declared.value_range or (-np.inf, np.inf)
        assert low <= out.min() and out.max() <= high
        assert spec.card.condition.default == () or len(spec.card.condition.default) == len(spec.card.condition.names)


def the_preview_has_a_picture_in_every_row(name: str, tmp_path: Path) -> None:
    family = families.get(name)
    cfg = family.tiny()
    sheet = family.preview(cfg, family.networks(cfg), cfg.train.data)
    assert all(len(row) == len(sheet.columns) and any(c is not None for c in row) for row in sheet.rows)
    sheet.save(tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").stat().st_size > 1000


def what_figures_are_measured_on_is_known(name: str) -> None:
    """So that a resume on other held-out pictures is noticed."""
    family = families.get(name)
    if family.validate is None:
        return
    assert family.held_out is not None
    cfg = family.tiny()
    one, two = (
        {key: describe_pictures(found) for key, found in family.held_out(cfg, cfg.train.data).items()} for _ in range(2)
    )
    assert one and compare_streams(one, two) == []
