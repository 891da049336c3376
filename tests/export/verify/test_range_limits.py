"""The ends of a range that are stored: as far as a golden.npz has room, and within what the card allows."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from edgegan.export.verify.range_limits import corners, label, pairs_to_store, sizes_to_store
from edgegan.export.verify.reference import GOLDEN_BYTES, golden_bytes
from edgegan.runtime.model import golden
from edgegan.runtime.model.card import ModelCard, SizeRule, TensorSpec
from edgegan.runtime.model.golden import Golden


def open_card(side: int, multiple: int = 4, dtype: str = "float32", batch: int = 1) -> ModelCard:
    layout = "NHWC" if dtype == "uint8" else "NCHW"
    shape = (batch, 3, "height", "width") if layout == "NCHW" else (batch, "height", "width", 3)
    spec = TensorSpec(name="image", dtype=dtype, shape=shape, layout=layout, value_range=(-1.0, 1.0))
    low, high = (4 * multiple, 4 * multiple), (4 * side, 4 * side)
    return ModelCard(
        name="open",
        family="tiny",
        task="translate",
        inputs=(spec,),
        outputs=(msgspec.structs.replace(spec, name="edited"),),
        size=SizeRule(kind="multiple_of", hw=(side, side), multiple=multiple, min_hw=low, max_hw=high),
        batch=(batch, batch),
    )


def random_pair(card: ModelCard, hw: tuple[int, int], count: int) -> Golden:
    """Values that do not compress."""
    spec, rng = card.inputs[0], np.random.default_rng(0)
    shape = (count, 3, *hw) if spec.layout == "NCHW" else (count, *hw, 3)
    levels = rng.integers(0, 256, shape).astype(np.uint8)
    answer = levels if spec.dtype == "uint8" else rng.standard_normal(shape).astype(np.float32)
    return Golden({"image": levels if spec.dtype == "uint8" else levels / np.float32(255)}, {"edited": answer})


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
@pytest.mark.parametrize(("side", "batch"), [(32, 1), (128, 1), (128, 3), (256, 1)])
def test_what_is_stored_is_in_the_range_and_fits(side, batch, dtype):
    card = open_card(side, dtype=dtype, batch=batch)
    rule, sizes = card.size, sizes_to_store(card)
    assert sizes[0] == rule.min_hw and all(hw > rule.hw for hw in sizes[1:])
    for hw in sizes:
        rule.check(hw)
    pairs = {label((batch, *hw)): random_pair(card, hw, batch) for hw in sizes}
    calls = pairs_to_store(pairs, card, "model")
    assert len(calls) == len(sizes)
    assert len(golden_bytes({"model": random_pair(card, rule.hw, 1)}, calls)) <= GOLDEN_BYTES
    largest = (*sizes[1:], rule.hw)[0]  # of a large model, the usual size
    larger = (largest[0] + rule.multiple, largest[1] + rule.multiple)
    values = batch * 3 * larger[0] * larger[1]
    assert largest == rule.max_hw or values * (5 if dtype == "float32" else 2) > GOLDEN_BYTES / 2, "more would fit"


def test_a_small_model_s_largest_size_is_stored_whole():
    card = open_card(32)
    assert sizes_to_store(card) == [card.size.min_hw, card.size.max_hw]
    assert {(1, *hw) for hw in sizes_to_store(card)} <= set(corners(card))


def test_a_fixed_size_stores_none():
    card = open_card(16)
    fixed = msgspec.structs.replace(card, size=SizeRule(hw=(16, 16)))
    assert sizes_to_store(fixed) == [] and pairs_to_store({}, fixed, "model") == {}


def test_calls_stay_whole_where_the_usual_pairs_are_thinned(tmp_path):
    card = open_card(128)
    sizes = sizes_to_store(card)
    calls = pairs_to_store({label((1, *hw)): random_pair(card, hw, 1) for hw in sizes}, card, "model")
    (tmp_path / "golden.npz").write_bytes(golden_bytes({"model": random_pair(card, (128, 128), 16)}, calls))
    assert (tmp_path / "golden.npz").stat().st_size <= GOLDEN_BYTES
    found = golden.read(tmp_path / "golden.npz", "model")
    assert found is not None and 1 <= len(found) < 16
    assert set(golden.read_calls(tmp_path / "golden.npz", "model")) == {label((1, *hw)) for hw in sizes}
