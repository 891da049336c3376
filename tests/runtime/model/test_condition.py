"""The card's condition: which vectors make a change, in how many passes."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgegan.runtime.model.card import ModelCard, sidecar
from edgegan.runtime.model.condition import Condition
from edgegan.runtime.shipped import find_model

NAMES = ("Black", "Smiling", "Blond", "Eyeglasses")
TOGETHER = Condition(kind="binary", names=NAMES, groups=(("Black", "Blond"),), default=(1.0, 0.0, 0.0, 0.0))
ALONE = msgspec.structs.replace(TOGETHER, one_at_a_time=True)
SETS = (("Black", "Smiling"), ("Blond", "Eyeglasses"))
JOINT = Condition(
    kind="binary", names=NAMES, sets=SETS, mask_slots=2, groups=(), default=(0.0,) * 4, one_at_a_time=True
)

strengths = st.sampled_from([0.0, 0.25, 0.5, 1.0])
labels = st.builds(
    lambda hair, *others: {"Black": 1.0 - hair, "Blond": float(hair), **dict(zip(NAMES[1::2], others, strict=True))},
    st.integers(0, 1), st.sampled_from([0.0, 1.0]), st.sampled_from([0.0, 1.0]),
)  # fmt: skip
some_changes = st.dictionaries(st.sampled_from(NAMES), strengths)


def test_decisions_are_groups_and_lone_names_in_order():
    assert ALONE.decisions == (("Black", "Blond"), ("Smiling",), ("Eyeglasses",))


@given(labels, some_changes)
def test_each_pass_makes_one_more_change_and_the_last_leaves_none_to_do(label, changes):
    passes = ALONE.vectors(label, changes)
    named = [d for d in ALONE.decisions if not changes.keys().isdisjoint(d)]
    assert len(passes) == max(1, len(named))
    assert [passes[-1]] == TOGETHER.vectors(label, changes)
    for count, vector in enumerate(passes, 1):
        so_far = {n: v for n, v in changes.items() if any(n in d for d in named[:count])}
        assert [vector] == TOGETHER.vectors(label, so_far)


@given(labels, some_changes)
def test_a_joint_model_takes_a_pass_for_each_change_of_each_set(label, changes):
    passes = JOINT.vectors(label, changes)
    assert len(passes) == len(changes)
    seen = {}
    for vector in passes:
        chosen = SETS[vector[len(NAMES) :].index(1.0)]
        values = dict(zip(NAMES, vector, strict=False))
        assert all(value == 0.0 for name, value in values.items() if name not in chosen)
        seen |= {name: values[name] for name in chosen}
    assert all(seen[name] == value for name, value in changes.items())


@pytest.mark.parametrize("name", ["avatars", "portraits"])
def test_a_card_from_before_one_at_a_time_loads_and_takes_one_pass(name):
    path = sidecar(find_model(name))
    card = json.loads(path.read_bytes())
    card["condition"].pop("one_at_a_time", None)
    condition = ModelCard.from_json(json.dumps(card)).condition
    own = dict(zip(condition.names, condition.default, strict=True))
    assert len(condition.vectors(own, {"Blond_Hair": 1.0, "Eyeglasses": 1.0})) == 1
