"""README: short, and it begins with the two commands and how long they take."""

from __future__ import annotations

import re

from support.pages import ROOT, Page

README = Page(ROOT / "README.md")


def test_it_has_at_most_900_words() -> None:
    assert len(README.path.read_text("utf-8").split()) <= 900


def test_it_opens_with_the_two_commands_and_their_durations() -> None:
    first, second, *_ = README.command_lines
    assert re.match(r"make demo +# about \d+ minutes on two cores", first)
    assert re.match(r"make test +# about \d+ minutes on two cores", second)
    assert README.text.index("make demo") < README.text.index("![")


def test_the_picture_and_the_way_to_draw_it_again_are_there() -> None:
    assert "docs/pictures/front.png" in README.links
    assert (ROOT / "docs" / "pictures" / "front.png").stat().st_size < 500_000


def test_it_says_that_no_gpu_path_has_run() -> None:
    sentence = "No GPU path of this project has run on a GPU yet"
    assert sentence in README.text
    assert sentence in (ROOT / "docs" / "gpu.md").read_text("utf-8")
