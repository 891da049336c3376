"""Changes come in smoothly, and go without a trace."""

import numpy as np
import pytest

from edgegan.runtime.live.controls.easing import Easing
from edgegan.runtime.model.condition import Condition, Partly

NAMES = ("Black_Hair", "Blond_Hair", "Smiling")
GROUPS = [("Black_Hair", "Blond_Hair")]


def test_a_change_comes_in_smoothly_from_each_faces_own_label():
    easing = Easing(0.25)
    assert easing.towards({"Smiling": 1.0}, 10.0) == {"Smiling": 1.0}  # what is set at first holds at once
    condition = Condition(kind="binary", names=NAMES, groups=tuple(GROUPS), default=(0.0, 0.0, 0.0))
    wanted = {"Smiling": 1.0, "Blond_Hair": 1.0}
    for own in (0.0, 1.0):
        easing = Easing(0.25)
        easing.towards({}, 0.0)
        times = np.arange(0.0, 0.3, 0.01)
        way = [condition.apply({"Black_Hair": 1.0, "Smiling": own}, easing.towards(wanted, t)) for t in times]
        smiles, blond, black = ([label[n] for label in way] for n in ("Smiling", "Blond_Hair", "Black_Hair"))
        assert smiles[0] == own and smiles[-1] == 1.0
        assert np.all(np.diff(smiles) >= 0) and np.abs(np.diff(smiles)).max() < 0.1
        assert (blond[0], black[0], blond[-1], black[-1]) == (0.0, 1.0, 1.0, 0.0)
        assert np.abs(np.diff(blond)).max() < 0.1 and np.abs(np.diff(black)).max() < 0.1


def test_a_change_goes_away_smoothly_and_then_leaves_no_trace():
    easing = Easing(0.25)
    easing.towards({"Smiling": 0.5}, 0.0)
    shares = [easing.towards({}, t).get("Smiling") for t in (0.0, 0.1, 0.2, 0.3)]
    assert shares[0] == 0.5 and not isinstance(shares[0], Partly)
    assert [round(s.share, 3) for s in shares[1:3]] == [0.648, 0.104] and shares[3] is None
    back = easing.towards({"Smiling": 1.0}, 0.4)
    assert back == {} and easing.towards({"Smiling": 1.0}, 0.7) == {"Smiling": 1.0}
    assert Easing(0.0).towards({"Smiling": 1.0}, 0.0) == {"Smiling": 1.0}


def test_between_two_values_the_value_moves_and_turning_round_makes_no_jump():
    easing = Easing(0.2)
    easing.towards({"Smiling": 0.0}, 0.0)
    easing.towards({"Smiling": 1.0}, 1.0)
    half = easing.towards({"Smiling": 1.0}, 1.1)["Smiling"]
    assert half == pytest.approx(0.5)
    assert easing.towards({"Smiling": 0.0}, 1.1)["Smiling"] == pytest.approx(half)
    assert easing.towards({"Smiling": 0.0}, 1.4) == {"Smiling": 0.0}
