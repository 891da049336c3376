"""Controls: keys, and other threads, steer one state."""

import json
import math
import threading
import time

import pytest

from edgegan.runtime.errors import InputError
from edgegan.runtime.live.controls.attributes import Controls
from edgegan.runtime.live.controls.keys import BACKSPACE, ESCAPE, TAB, guest_keys
from edgegan.runtime.live.controls.look import Look
from edgegan.runtime.live.controls.remembered import Remembered
from edgegan.runtime.live.controls.slider import Slider
from edgegan.runtime.live.controls.walking import WalkControls

NAMES = ("Black_Hair", "Blond_Hair", "Smiling")
GROUPS = [("Black_Hair", "Blond_Hair")]


@pytest.fixture
def memory(tmp_path):
    return Remembered(tmp_path / "model.json", "model")


def test_keys_go_round_and_rivals_give_way():
    controls = Controls(NAMES, GROUPS, {"Black_Hair": 1.0})
    first = controls.changes
    assert controls.press("2")
    assert controls.changes == {"Blond_Hair": 1.0}
    assert first == {"Black_Hair": 1.0}  # replaced, not changed under the reader
    assert controls.press("2")
    assert controls.changes == {}
    seen = []
    for _ in range(3):
        controls.press("3")
        seen.append(dict(controls.changes))
    assert seen == [{"Smiling": 1.0}, {"Smiling": 0.0}, {}]
    assert not controls.press("q")
    assert not Controls().press(ESCAPE)


def test_every_command_has_a_key_of_its_own_and_forty_attributes_have_theirs():
    controls = Controls([f"name{i}" for i in range(40)])
    assert len(controls.keys) == 40
    assert not set("bBhHkKmMoOpPqQrRsSvVwW []" + TAB + ESCAPE + BACKSPACE) & set(controls.keys)
    looks = [controls.look]
    for key in "bvohmwr " + TAB:
        controls.press(key)
        assert controls.look not in looks, key
        looks.append(controls.look)
    controls.press("bbvvhmwr " + TAB)
    controls.choose(view="after")
    assert controls.look == Look()


def test_a_slider_takes_every_place_in_its_range_and_nothing_beyond():
    controls = Controls(("Smiling",), span=(-0.5, 1.5))
    slider = controls.sliders[0]
    assert slider.value is None and slider.place() == 0.25  # where 0 lies
    values = []
    for step in range(Slider.STEPS + 1):
        controls.set("Smiling", slider.at(step / Slider.STEPS))
        assert slider.place() == pytest.approx(step / Slider.STEPS)
        values.append(slider.value)
    assert values[0] == -0.5 and values[-1] == 1.5 and len(set(values)) == len(values)
    assert (slider.at(-3.0), slider.at(9.0)) == (-0.5, 1.5)
    for wrong in (1.6, -0.6, float("nan")):
        with pytest.raises(InputError, match=r"from -0.5 to 1.5"):
            controls.set("Smiling", wrong)
    assert controls.changes == {"Smiling": 1.5}
    with pytest.raises(InputError, match="Smiling"):
        controls.set("Beard", 1.0)
    with pytest.raises(InputError, match="holds 0"):
        Controls(NAMES, span=(0.5, 1.0))


def test_brackets_push_what_was_touched_last_and_backspace_frees_all():
    controls = Controls(NAMES, GROUPS)
    controls.press("3]]")
    assert controls.changes == {"Smiling": 1.0}
    controls.press("[[[[")
    assert controls.changes == {"Smiling": 0.9}
    controls.set("Blond_Hair", 0.5)
    controls.press("[")
    assert controls.changes == {"Blond_Hair": 0.475, "Smiling": 0.9}
    for key in BACKSPACE:
        controls.press("3" + key)
        assert controls.changes == {}


@pytest.mark.parametrize("none", [math.nan, math.inf])
def test_a_place_that_is_no_number_is_refused_and_changes_nothing(none):
    controls = Controls(NAMES, GROUPS)
    before = controls.look, controls.changes
    for change in (
        lambda: controls.nudge(none),
        lambda: controls.choose(split=none),
        lambda: controls.choose(click=(0.5, none)),
    ):
        with pytest.raises(InputError, match="a place"):
            change()
    assert (controls.look, controls.changes) == before


class Slow(Controls):
    """Takes its time with each change, and counts the threads that are in one."""

    inside = most = 0

    def _follow(self, slider):
        self.inside += 1
        self.most = max(self.most, self.inside)
        time.sleep(0.001)
        super()._follow(slider)
        self.inside -= 1


def test_threads_change_one_after_another_and_lose_nothing():
    controls = Slow(NAMES, GROUPS)

    def turn(name):
        for step in range(20):
            controls.set(name, (step % 10) / 10)

    threads = [threading.Thread(target=turn, args=(name,)) for name in NAMES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert controls.most == 1 and controls.version == 60
    assert controls.changes["Smiling"] == 0.9
    assert sum(controls.changes.get(name, 0.0) > 0 for name in GROUPS[0]) == 1


def test_the_state_is_json_and_its_version_grows_with_every_change(memory):
    controls = Controls(NAMES, GROUPS, {"Smiling": 0.5}, memory=memory)
    versions = [controls.version]
    for act in (
        lambda: controls.set("Smiling", None),
        lambda: controls.choose(mirror=True),
        lambda: controls.keep("a"),
    ):
        act()
        versions.append(controls.version)
    assert versions == sorted(set(versions))
    state = json.loads(json.dumps(controls.state()))
    assert [s["name"] for s in state["sliders"]] == list(NAMES)
    assert state["sliders"][2] == {"name": "Smiling", "key": "3", "value": None, "rest": None, "low": 0, "high": 1}
    assert state["groups"] == [list(GROUPS[0])]
    assert state["views"] == ["after", "both", "split", "before"] and state["look"]["mirror"] is True
    assert state["presets"] == ["a"]
    assert json.loads(json.dumps(WalkControls(8).state()))["views"] == ["after"]


def test_a_copy_begins_alike_and_goes_its_own_way():
    controls = Controls(NAMES, GROUPS, {"Smiling": 1.0})
    twin = controls.copy()
    assert twin.changes == {"Smiling": 1.0}
    twin.press("23")
    assert twin.values() == {"Blond_Hair": 1.0, "Smiling": 0.0}
    assert controls.values() == {"Smiling": 1.0}
    controls.press("1")
    assert twin.changes == {"Blond_Hair": 1.0, "Smiling": 0.0}


def test_a_guest_may_press_what_neither_ends_nor_freezes_what_others_see():
    assert guest_keys(Controls(NAMES)) == frozenset()
    walk = WalkControls(8)
    assert guest_keys(walk) == frozenset(" ng+-")
    before = (walk.seed, walk.skips, walk.speed)
    assert walk.press("".join(sorted(guest_keys(walk)))) and walk.paused
    assert (walk.seed, walk.skips) == (before[0] + 1, before[1] + 1)


def test_a_capital_counts_as_the_small_letter_where_it_is_no_key_of_its_own():
    controls = Controls([f"name{i}" for i in range(40)])
    small, capital = controls.keys["a"], controls.keys["A"]
    controls.press("aAB")
    assert set(controls.changes) == {small, capital} and controls.look.view == "both"
    few = Controls([f"name{i}" for i in range(11)])
    few.press("AZ")
    assert set(few.changes) == {few.keys["a"]}


def test_keys_of_a_walk_choose_seed_speed_and_slider_and_every_change_is_told():
    walk = WalkControls(8)
    for key, state in (("g", "seed"), ("n", "skips"), ("+", "speed"), ("-", "speed"), ("2", "held")):
        before = (walk.version, getattr(walk, state))
        walk.press(key)
        assert walk.version > before[0] and getattr(walk, state) != before[1], key
    walk.press("]")
    assert walk.values() == {"d2": 0.1}
    walk.press("0")
    assert walk.values() == {}
    walk.press("-" * 30)
    slowest = walk.speed
    walk.press("-")
    assert walk.speed == slowest > 0


def test_a_place_is_taken_to_the_edge_and_chosen_faces_end_with_backspace():
    controls = Controls(NAMES)
    controls.choose(click=(1.5, -0.5))
    assert controls.look.which("largest", (100, 200)) == (200.0, 0.0)
    controls.choose(click=None, faces=2)
    assert controls.look.which("largest", (100, 200)) == 2
    controls.press("\x08")
    assert controls.look.which("largest", (100, 200)) == "largest"
