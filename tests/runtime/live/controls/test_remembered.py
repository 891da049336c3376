"""What outlives a run: presets, and how each model was left."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from support import tiny_models

from edgegan.runtime.errors import InputError
from edgegan.runtime.live.controls.attributes import Controls
from edgegan.runtime.live.controls.remembered import Remembered, config_folder, first_time
from edgegan.runtime.model.card import ModelCard, SizeRule
from edgegan.runtime.model.condition import Condition

NAMES = ("Black_Hair", "Blond_Hair", "Smiling")
GROUPS = [("Black_Hair", "Blond_Hair")]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A configuration folder of the test's own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "edgegan"


@pytest.fixture
def memory(tmp_path):
    return Remembered(tmp_path / "model.json", "model")


def test_presets_are_kept_loaded_in_turn_and_outlive_the_run(memory):
    controls = Controls(NAMES, GROUPS, memory=memory)
    controls.press("p")
    assert "no presets" in controls.message()
    controls.press("3k")
    controls.press("\x082k")
    again = Controls(NAMES, GROUPS, memory=Remembered(memory.path))
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
    first = Remembered.of(card())
    assert not home.exists()
    first.leave({"Smiling": 0.5}, {"view": "split"})
    assert first.path.is_relative_to(home)
    back = Remembered.of(card())
    assert (back.values, back.look) == ({"Smiling": 0.5}, {"view": "split"})
    for other in (card("else"), card(names=("Smiling",)), card("../../etc")):
        memory = Remembered.of(other)
        assert memory.values == {} and memory.path.parent == first.path.parent


def test_an_unreadable_memory_is_an_error_that_names_the_file(memory):
    memory.path.write_text('{"values": {"Smiling": "very"}}')
    with pytest.raises(InputError, match="delete it") as caught:
        Remembered(memory.path)
    assert str(memory.path) in str(caught.value)


def test_the_first_time_comes_once_and_needs_no_writable_folder(home, monkeypatch, tmp_path):
    assert [first_time("a"), first_time("a"), first_time("b")] == [True, False, True]
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    assert config_folder().parts[-2:] == ("file", "edgegan")
    assert first_time("a") and first_time("a")


def test_what_two_runs_of_one_model_keep_is_all_there(tmp_path):
    first, second = (Remembered(tmp_path / "model.json") for _ in range(2))
    assert first.keep("", {"Smiling": 1.0}) == "1"
    assert second.keep("", {"Smiling": 0.5}) == "2"
    first.leave({"Smiling": 0.25}, {"view": "split"})
    third = Remembered(tmp_path / "model.json")
    assert third.presets == {"1": {"Smiling": 1.0}, "2": {"Smiling": 0.5}} and third.values == {"Smiling": 0.25}


def test_runs_that_keep_at_the_same_time_lose_nothing(tmp_path):
    def keep(number):
        memory = Remembered(tmp_path / "model.json")
        return [memory.keep("", {"Smiling": number / 10}) for _ in range(5)]

    with ThreadPoolExecutor(6) as pool:
        names = [name for kept in pool.map(keep, range(6)) for name in kept]
    assert len(set(names)) == 30 and set(names) == set(Remembered(tmp_path / "model.json").presets)
