"""What every family must keep; runs over the folders that are there."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from support import contract

from edgegan import families
from edgegan.runtime.errors import InputError

ALL = families.names()


def test_there_are_families_and_an_unknown_one_lists_them() -> None:
    assert ALL
    with pytest.raises(InputError, match=ALL[0]):
        families.get("nosuchgan")


@pytest.mark.parametrize("name", ALL)
def test_a_family_keeps_the_contract(name: str) -> None:
    contract.keeps_the_contract(name)


@pytest.mark.parametrize("name", ALL)
def test_exports_are_eval_float32_modules_whose_card_tells_the_truth(name: str) -> None:
    contract.exports_are_eval_float32_modules_whose_card_tells_the_truth(name)


@pytest.mark.parametrize("name", ALL)
def test_the_preview_has_a_picture_in_every_row(name: str, tmp_path: Path) -> None:
    contract.the_preview_has_a_picture_in_every_row(name, tmp_path)


@pytest.mark.parametrize("name", ALL)
def test_what_figures_are_measured_on_is_known(name: str) -> None:
    contract.what_figures_are_measured_on_is_known(name)


def test_a_step_draws_by_picture_not_by_batch() -> None:
    """Two half batches draw what the whole batch draws: what resuming and several processes rest on."""
    whole = families.Step({}, first_image=8, seed=3).uniform(8)
    halves = [families.Step({}, first_image=f, seed=3).uniform(4) for f in (8, 12)]
    assert torch.equal(whole, torch.cat(halves))
    assert not torch.equal(whole, families.Step({}, first_image=8, seed=4).uniform(8))
