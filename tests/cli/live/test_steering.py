"""Where the controls of a live run begin: the command line before presets, presets before what is remembered."""

import pytest
from support import tiny_models

from edgegan.cli.live.start import Wishes
from edgegan.runtime.errors import InputError
from edgegan.runtime.live.controls.remembered import Remembered
from edgegan.runtime.model import artefact


@pytest.fixture
def card(tmp_path, monkeypatch):
    """Of a model whose settings were kept, with a preset and as they were left."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    card = artefact.load(tiny_models.write_editor(tmp_path / "faces", pairs=0)).card
    memory = Remembered.of(card)
    memory.keep("evening", {"Blond_Hair": 1.0, "Smiling": 0.5})
    memory.leave({"Smiling": 1.0}, {"view": "split"})
    return card


def wishes(preset=None, fresh=False, stdin=False, span=(0.0, 1.0), **changes):
    return Wishes(changes, span, preset, fresh, None, False, False, stdin)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"Blond_Hair": 1.0, "Smiling": 0.5}),
        ({"Brown_Hair": 1.0}, {"Brown_Hair": 1.0, "Smiling": 0.5}),
        ({"Brown_Hair": 0.0}, {"Blond_Hair": 1.0, "Brown_Hair": 0.0, "Smiling": 0.5}),
        ({"Blond_Hair": 0.25}, {"Blond_Hair": 0.25, "Smiling": 0.5}),
        ({"Smiling": 0.0}, {"Blond_Hair": 1.0, "Smiling": 0.0}),
    ],
    ids=lambda changes: " ".join(changes) or "nothing",
)
def test_the_command_line_counts_before_a_preset_and_takes_the_place_of_its_rivals(card, changes, expected):
    start = wishes(preset="evening", **changes).begin(card, watched=False)
    start.check(card.condition)
    assert start.changes == expected


def test_rivals_on_one_command_line_still_exclude_each_other(card):
    start = wishes(preset="evening", Blond_Hair=1.0, Brown_Hair=1.0).begin(card, watched=False)
    with pytest.raises(InputError, match="exclude each other"):
        start.check(card.condition)


def test_what_is_remembered_counts_only_where_someone_watches_and_nothing_is_said(card):
    left = wishes().begin(card, watched=True)
    assert left.changes == {"Smiling": 1.0} and left.look.view == "split" and "--fresh" in left.note
    for begun in (
        wishes().begin(card, watched=False),
        wishes(fresh=True).begin(card, watched=True),
        wishes(Brown_Hair=1.0).begin(card, watched=True),
        wishes(preset="evening").begin(card, watched=True),
    ):
        assert "Smiling" not in begun.changes or begun.changes["Smiling"] == 0.5
        assert not begun.note
