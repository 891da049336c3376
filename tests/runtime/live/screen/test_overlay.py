"""What is drawn over the picture: sliders, help and words, inside it and readable."""

import itertools

import numpy as np
import pytest

from edgegan.runtime.live.controls.attributes import Controls
from edgegan.runtime.live.controls.panel import Panel
from edgegan.runtime.live.controls.slider import Slider
from edgegan.runtime.live.screen import lettering, overlay
from edgegan.runtime.live.screen.board import Board, board_top
from edgegan.runtime.live.screen.views import Layers

HW = (240, 320)
NAMES = ("Blond_Hair", "Smiling")


def test_the_drawn_slider_stands_at_its_value():
    panel = Panel([Slider("d1", -2.0, 2.0)])
    panel.hold("d1")
    row = Board(panel.sliders, HW, board_top(HW)).rows[0]
    centres = []
    for value in (-2.0, 0.0, 2.0):
        panel.set("d1", value)
        picture = np.zeros((*HW, 3), np.uint8)
        overlay.draw_sliders(picture, panel)
        knob = (picture[row.top :, row.left - 5 : row.right + 5] == 255).all(axis=2).sum(axis=0)
        centres.append(float(np.nonzero(knob == knob.max())[0].mean()) - 5)
    width = row.right - row.left
    assert centres == pytest.approx([0, width / 2, width], abs=4)


@pytest.mark.parametrize("hw", [(240, 320), (480, 640), (720, 1280)])
def test_the_help_names_every_command_and_fits(hw):
    lines = Controls(NAMES).help_lines()
    words = "\n".join(lines)
    assert all(
        word in words for word in ("tab", "backspace", "space", "split", "snapshot", "record", "mirror", "preset")
    )
    picture = np.full((hw[0] + 40, hw[1] + 40, 3), 90, np.uint8)
    inner = picture[20:-20, 20:-20]
    overlay.draw_help(inner, lines)
    drawn = (inner != 90).any(axis=2)
    assert not drawn[0].any() and not drawn[-1].any() and not drawn[:, 0].any() and not drawn[:, -1].any()
    assert drawn.mean() > 0.08


def test_words_at_an_edge_are_what_a_larger_picture_shows_there():
    large = np.zeros((120, 300, 3), np.uint8)
    small = np.zeros((40, 100, 3), np.uint8)
    for x, y in ((-30, -5), (70, 25), (10, 10)):
        lettering.write(small, "Words", x, y, 20, (255, 255, 255))
        lettering.write(large, "Words", x + 100, y + 40, 20, (255, 255, 255))
    assert small.any() and np.array_equal(small, large[40:80, 100:200])


def test_words_are_cut_at_the_edges_and_change_nothing_outside():
    picture = np.zeros((40, 100, 3), np.uint8)
    for x, y in ((-30, -5), (90, 30), (200, 200), (-500, 3)):
        lettering.write(picture, "Words", x, y, 20, (255, 255, 255))
    assert picture[:20].any() and picture[30:, 90:].any()
    assert picture.max() == 255
    dark, light = (np.full((30, 120, 3), v, np.uint8) for v in (0, 200))
    for each in (dark, light):
        lettering.write(each, "Words", 5, 5, 20, (0, 255, 0))
    assert dark[..., 1].max() == 255 and dark[..., 0].max() == 0
    assert light[..., 0].min() == 0 and light[0, 0].tolist() == [200, 200, 200]


def test_a_kept_layer_shows_what_the_drawing_shows():
    controls, layers = Controls(NAMES, changes={"Smiling": 0.7}), Layers()
    words = ((("29.9 fps in", overlay.WHITE), ("Smiling 0.7", overlay.ON)),)
    for hw, (name, draw), seed in itertools.product(
        [(240, 320), (33, 50), (4, 6)],
        {
            "line": lambda on: overlay.draw_lines(on, words),
            "sliders": lambda on: overlay.draw_sliders(on, controls),
            "help": lambda on: overlay.draw_help(on, controls.help_lines()),
            "message": lambda on: overlay.draw_message(on, "written: a.png"),
        }.items(),
        range(2),
    ):
        picture = np.random.default_rng(seed).integers(0, 256, (*hw, 3), np.uint8)
        drawn, blended = picture.copy(), picture.copy()
        draw(drawn)
        layers.draw(blended, name, "the same", draw)
        assert (drawn != picture).any() or hw[0] < 100, name
        assert np.abs(drawn.astype(int) - blended).max() <= 2, name  # each is rounded in its own way
        untouched = (drawn == picture).all(axis=(1, 2))
        assert np.array_equal(blended[untouched], picture[untouched]), name
