"""Lines of text steer as keys do, and a wrong one changes nothing."""

import os
import time

import pytest

from edgegan.runtime.errors import InputError
from edgegan.runtime.live.controls.attributes import Controls
from edgegan.runtime.live.controls.lines import Lines, obey
from edgegan.runtime.live.controls.look import Look
from edgegan.runtime.live.controls.remembered import Remembered

NAMES = ("Black_Hair", "Blond_Hair", "Smiling")
GROUPS = [("Black_Hair", "Blond_Hair")]


@pytest.fixture
def memory(tmp_path):
    return Remembered(tmp_path / "model.json", "model")


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


@pytest.mark.parametrize(("words", "which"), [("all", "all"), ("largest", "largest"), ("2", 2)])
def test_faces_are_chosen_by_a_line_and_a_clicked_one_is_left(words, which):
    controls = Controls(NAMES)
    obey(controls, "click 0.5 0.25")
    assert controls.look.which("all", (100, 200)) == (100.0, 25.0)
    obey(controls, f"faces {words}")
    assert controls.look.which("all", (100, 200)) == which


@pytest.mark.parametrize("line", ["set Smiling", "set Smiling much", "set Beard 1", "set Smiling 7", "mirror maybe",
                                  "view sideways", "split", "preset none", "record", "rm -rf",
                                  "split nan", "split 2", "click 1", "click 0.5 nan", "click 0.5 1.1",
                                  "faces none", "faces 0"])  # fmt: skip
def test_a_wrong_line_is_answered_and_changes_nothing(line):
    controls = Controls(NAMES, GROUPS)
    with pytest.raises(InputError):
        obey(controls, line)
    assert controls.changes == {} and controls.look == Look()


def test_stdin_steers_between_frames_its_end_ends_nothing_and_quit_does():
    reader, writer = os.pipe()
    controls, answers = Controls(NAMES, GROUPS), []
    with os.fdopen(reader) as stream:
        lines = Lines(stream, controls, answers.append)
        os.write(writer, b"set Smiling 1\nnonsense\n")
        deadline = time.monotonic() + 5
        while not answers and time.monotonic() < deadline:
            lines.poll()
        assert controls.changes == {"Smiling": 1.0} and "nonsense" in answers[0]
        assert not controls.stopped
        os.write(writer, b"quit\n")
        os.close(writer)
        while not controls.stopped and time.monotonic() < deadline:
            lines.poll()
        assert controls.stopped
