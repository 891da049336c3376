"""What conditional generators are told, through the sampler, the walk and its controls."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support import tiny_models
from support.models import conditional_models

from edgegan.runtime import Sampler
from edgegan.runtime.errors import CardError, InputError
from edgegan.runtime.generate import conditions
from edgegan.runtime.generate.walk import Walk
from edgegan.runtime.live.controls.walking import WalkControls
from edgegan.runtime.model.condition import Condition

TOLD = Condition(
    kind="binary",
    names=("red", "green", "hat", "tilt"),
    groups=(("red", "green"),),
    default=(0.75, 0.25, 0.5, 0.0),
    ranges={"tilt": (-2.0, 2.0)},
)


@pytest.fixture(scope="module")
def sampler(tmp_path_factory):
    folder = tmp_path_factory.mktemp("m")
    with Sampler.open(conditional_models.write_conditional_sampler(folder, TOLD)) as opened:
        yield opened


def test_drawn_conditions_have_the_odds_of_the_card_and_depend_on_seed_and_number_alone():
    rows = conditions.draw(TOLD, 3000, seed=2)
    assert rows.dtype == np.float32 and (rows[:, :2].sum(1) == 1).all()
    assert rows[:, :3].mean(0) == pytest.approx([0.75, 0.25, 0.5], abs=0.03)
    assert set(np.unique(rows[:, :3])) == {0.0, 1.0}
    assert np.abs(rows[:, 3]).max() <= 2 and rows[:, 3].std() == pytest.approx(4 / 12**0.5, rel=0.03)
    assert np.array_equal(conditions.draw(TOLD, 2, seed=2, first=40), rows[40:42])
    assert not np.array_equal(conditions.draw(TOLD, 50, seed=3), rows[:50])
    assert conditions.draw(Condition(kind="latent"), 5).shape == (5, 0)


def test_changes_hold_and_free_the_others_of_their_group():
    rows = conditions.change(TOLD, conditions.draw(TOLD, 20), {"green": 1.0, "tilt": -1.5})
    assert (rows[:, 0] == 0).all() and (rows[:, 1] == 1).all() and (rows[:, 3] == -1.5).all()
    assert np.array_equal(rows[:, 2], conditions.draw(TOLD, 20)[:, 2])
    with pytest.raises(InputError, match="'blue'.*"):
        conditions.change(TOLD, rows, {"blue": 1.0})


def test_a_picture_is_what_latent_and_condition_say(sampler):
    vectors, told = sampler.latents(4, seed=5), sampler.conditions(4, seed=5)
    pictures = sampler.sample(4, seed=5)
    assert np.array_equal(pictures, sampler.generate(vectors, told))
    assert np.array_equal(sampler.sample(1, seed=5)[0], pictures[0])
    greener = sampler.sample(4, seed=5, changes={"green": 1.0, "red": 0.0})
    for picture, vector, row in zip(greener, vectors, sampler.conditions(4, 5, changes={"green": 1.0}), strict=True):
        assert np.abs(picture.astype(int) - conditional_models.conditional_picture(vector, row)).max() <= 1
    assert len(sampler.generate(vectors)) == 4


def test_what_does_not_fit_is_said(sampler, tmp_path: Path):
    vectors = sampler.latents(2)
    with pytest.raises(InputError, match="2 latents and 3 conditions"):
        sampler.generate(vectors, sampler.conditions(3))
    with pytest.raises(InputError, match="2 x 3|2x3"):
        sampler.generate(vectors, np.zeros((2, 3)))
    with pytest.raises(InputError, match="'moustache'"):
        sampler.sample(1, changes={"moustache": 1.0})
    mixer = tiny_models.write_sampler(tmp_path).with_name("mixer.onnx")
    with pytest.raises(CardError, match="latent, style"):
        Sampler.open(mixer)


def test_a_walk_goes_from_one_pictures_condition_to_the_next_under_what_is_set(sampler):
    controls = WalkControls(sampler.width, seed=3, speed=1.0, condition=TOLD)
    walk = Walk(sampler, controls, step_s=0.5)
    first, second = sampler.conditions(2, seed=3)
    walk.latent()
    assert np.allclose(walk.condition(), first)
    walk.latent()
    assert np.allclose(walk.condition(), (first + second) / 2, atol=1e-6)
    controls.set("hat", 0.25)
    controls.set("tilt", -2.0)
    assert walk.condition()[2:].tolist() == [0.25, -2.0]
    controls.set("red", 1.0)
    controls.set("green", 1.0)
    assert walk.condition()[:2].tolist() == [0.0, 1.0] and "red" not in controls.changes
    controls.set("green", None)
    assert np.allclose(walk.condition()[:2], (first + second)[:2] / 2)


def test_names_have_sliders_and_keys_of_their_own():
    controls = WalkControls(8, condition=TOLD, values={"hat": 1.0, "d1": 0.5})
    by_name = {slider["name"]: slider for slider in controls.state()["sliders"]}
    assert list(by_name) == ["d1", "d2", "d3", "d4", *TOLD.names]
    assert (by_name["tilt"]["low"], by_name["tilt"]["high"], by_name["red"]["rest"]) == (-2.0, 2.0, None)
    assert controls.state()["groups"] == [["red", "green"]] and controls.values() == {"d1": 0.5, "hat": 1.0}
    keys = [slider["key"] for slider in by_name.values()]
    assert len(set(keys)) == len(keys) and all(keys)
    controls.press(by_name["red"]["key"])
    assert controls.changes == {"hat": 1.0, "red": 1.0}
    controls.press(by_name["hat"]["key"])
    assert controls.changes == {"hat": 0.0, "red": 1.0}
    assert ("red", "on") in controls.status() and len(controls.directions) == 4
    twin = controls.copy()
    twin.set("d1", -1.0)
    assert controls.directions[0].value == 0.5 and twin.directions[0].value == -1.0
    with pytest.raises(InputError, match="tilt=3"):
        controls.set("tilt", 3.0)
