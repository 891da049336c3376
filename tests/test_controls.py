"""Controls: keys, mouse, lines of text and other threads all steer the same state, and it outlives the run."""

import json
import os
import threading
import time

import numpy as np
import pytest
import tiny_models

from edgegan.runtime.card import Condition, ModelCard, Partly, SizeRule
from edgegan.runtime.commands import Lines, obey
from edgegan.runtime.controls import Controls
from edgegan.runtime.easing import Easing
from edgegan.runtime.errors import InputError
from edgegan.runtime.panel import BACKSPACE, ESCAPE, TAB, Look, Slider
from edgegan.runtime.settings import Memory, config_folder, first_time
from edgegan.runtime.sources import Frame, Source
from edgegan.runtime.sources._frozen import Frozen
from edgegan.runtime.walk import WalkControls

NAMES = ("Black_Hair", "Blond_Hair", "Smiling")
GROUPS = [("Black_Hair", "Blond_Hair")]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A configuration folder of the test's own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "edgegan"


@pytest.fixture
def memory(tmp_path):
    return Memory(tmp_path / "model.json", "model")


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


class Slow(Controls):
    """Takes its time with each change, and counts the threads that are in one."""

    inside = most = 0

    def _moved(self, slider):
        self.inside += 1
        self.most = max(self.most, self.inside)
        time.sleep(0.001)
        super()._moved(slider)
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


def test_presets_are_kept_loaded_in_turn_and_outlive_the_run(memory):
    controls = Controls(NAMES, GROUPS, memory=memory)
    controls.press("p")
    assert "no presets" in controls.message()
    controls.press("3k")
    controls.press("\x082k")
    again = Controls(NAMES, GROUPS, memory=Memory(memory.path))
    again.press("1p")
    assert again.changes == {"Smiling": 1.0}
    again.press("p")
    assert again.changes == {"Blond_Hair": 1.0}
    again.press("p")
    assert again.changes == {"Smiling": 1.0}
    with pytest.raises(InputError, match="1, 2"):
        again.load("three")


def test_a_preset_that_does_not_fit_changes_nothing_and_is_said(memory):
    memory.keep("wild", {"Blond_Hair": 1.0, "Smiling": 1.5})
    controls = Controls(NAMES, GROUPS, {"Black_Hair": 1.0}, memory=memory)
    controls.press("p")
    assert controls.changes == {"Black_Hair": 1.0}
    assert "Smiling=1.5" in controls.message()


def card(name="stargan", names=NAMES) -> ModelCard:
    condition = Condition(kind="binary", names=names, default=(0.0,) * len(names))
    image = tiny_models._image(32)
    return ModelCard(
        name=name, family="f", task="translate", condition=condition, inputs=(image,), outputs=(image,),
        size=SizeRule(hw=(32, 32)),
    )  # fmt: skip


def test_each_model_has_a_memory_of_its_own_in_the_users_folder(home):
    first = Memory.of(card())
    assert not home.exists()
    first.leave({"Smiling": 0.5}, {"view": "split"})
    assert first.path.is_relative_to(home)
    back = Memory.of(card())
    assert (back.values, back.look) == ({"Smiling": 0.5}, {"view": "split"})
    for other in (card("else"), card(names=("Smiling",)), card("../../etc")):
        memory = Memory.of(other)
        assert memory.values == {} and memory.path.parent == first.path.parent


def test_an_unreadable_memory_is_an_error_that_names_the_file(memory):
    memory.path.write_text('{"values": {"Smiling": "very"}}')
    with pytest.raises(InputError, match="delete it") as caught:
        Memory(memory.path)
    assert str(memory.path) in str(caught.value)


def test_the_first_time_comes_once_and_needs_no_writable_folder(home, monkeypatch, tmp_path):
    assert [first_time("a"), first_time("a"), first_time("b")] == [True, False, True]
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    assert config_folder().parts[-2:] == ("file", "edgegan")
    assert first_time("a") and first_time("a")


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


def test_lines_of_text_do_what_keys_do(memory):
    controls = Controls(NAMES, GROUPS, memory=memory)
    for line in (
        "set Smiling 0.7", "set Black_Hair 1", "set Black_Hair as-it-is", "", "# a remark", "view split", "split 0.25",
        "mirror on", "freeze start", "snapshot", "keep evening", "reset", "preset evening",
    ):  # fmt: skip
        obey(controls, line + "\n")
    assert controls.changes == {"Smiling": 0.7}
    assert controls.look == Look(view="split", split=0.25, mirror=True, frozen=True)
    assert controls.snapshots == 1 and list(memory.presets) == ["evening"]
    obey(controls, "freeze stop")
    obey(controls, "quit")
    assert not controls.look.frozen and controls.stopped


@pytest.mark.parametrize("line", ["set Smiling", "set Smiling much", "set Beard 1", "set Smiling 7", "mirror maybe",
                                  "view sideways", "split", "preset none", "record", "rm -rf"])  # fmt: skip
def test_a_wrong_line_is_answered_and_changes_nothing(line):
    controls = Controls(NAMES, GROUPS)
    with pytest.raises(InputError):
        obey(controls, line)
    assert controls.changes == {} and controls.look == Look()


def test_stdin_steers_between_frames_its_end_ends_nothing_and_quit_does():
    reader, writer = os.pipe()
    controls, answers = Controls(NAMES, GROUPS), []
    frame = Frame(np.zeros((2, 2, 3), np.uint8), 0, 0.0, "test")
    with os.fdopen(reader) as lines:
        sink = Lines(lines, controls, answers.append)
        os.write(writer, b"set Smiling 1\nnonsense\n")
        deadline = time.monotonic() + 5
        while not answers and time.monotonic() < deadline:
            assert sink.write(frame) == ""
        assert controls.changes == {"Smiling": 1.0} and "nonsense" in answers[0]
        os.write(writer, b"quit\n")
        os.close(writer)
        while not controls.stopped and time.monotonic() < deadline:
            sink.write(frame)
        assert sink.write(frame) == ESCAPE


class Numbers(Source):
    """Pictures that show their own number; `live` or recorded."""

    def __init__(self, live, panel=None, freeze_at=None):
        self.name, self.about, self.live, self.fps, self.size_hw, self.length = "n", "n", live, 500.0, (1, 1), None
        self._panel, self._freeze_at = panel, freeze_at

    def __iter__(self):
        for number in range(6):
            if number == self._freeze_at:
                self._panel.choose(frozen=True)
            yield Frame(np.full((1, 1, 3), number, np.uint8), number, 100.0 + number, "n")


def test_a_frozen_recording_waits_and_loses_no_picture():
    controls = Controls()
    frames = []
    for frame in Frozen(Numbers(False, controls, freeze_at=3), controls):
        frames.append(frame)
        controls.choose(frozen=len(frames) < 6 and controls.look.frozen)
    assert [int(f.image_bgr[0, 0, 0]) for f in frames] == [0, 1, 2, 2, 2, 2, 3, 4, 5]
    assert [f.index for f in frames] == list(range(9))


def test_a_frozen_camera_goes_on_unseen():
    controls = Controls()
    frames = []
    for frame in Frozen(Numbers(True, controls, freeze_at=2), controls):
        frames.append(frame)
        controls.choose(frozen=frame.index < 4 and controls.look.frozen)
    assert [int(f.image_bgr[0, 0, 0]) for f in frames] == [0, 1, 1, 1, 1, 5]
    assert [f.timestamp for f in frames] == [100.0 + n for n in range(6)]
