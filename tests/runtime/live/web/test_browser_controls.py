"""The page's controls in a browser: by mouse and by keys, by one visitor and by two."""

import numpy as np
import pytest
from support import tiny_models
from support.web.browser import DESK, PHONE, Steady, drag, mean
from support.web.visitor import until


def test_a_slider_changes_the_picture_and_the_other_visitor_sees_both(tab, live):
    one, two = tab(DESK), tab(PHONE)
    before = mean(two)
    drag(one, "Smiling", 1.0)
    wanted = live.editor.edit(next(iter(Steady())).image_bgr, {"Smiling": 1.0}).mean((0, 1))[::-1]
    assert np.abs(wanted - before).max() > 30
    assert until(lambda: np.abs(mean(two) - wanted).max() < 8), mean(two) - wanted
    assert live.controls.changes == {"Smiling": 1.0}
    chip = two.locator(".row[data-name=Smiling] .chip")
    assert until(lambda: chip.inner_text() == "on")
    chip.click()
    assert until(lambda: live.controls.changes == {})
    assert until(lambda: np.abs(mean(one) - before).max() < 12)
    assert until(lambda: one.locator("#slider-Smiling").get_attribute("aria-valuetext") == "as is")


def test_the_keyboard_reaches_every_control(tab, live):
    page = tab()
    reached = []
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("() => document.activeElement.id || document.activeElement.ariaLabel"))
    for name in ("aim", "mirror", "snapshot", "full", "reset", *(f"slider-{name}" for name in tiny_models.NAMES)):
        assert name in reached, reached
    page.focus("#slider-Smiling")
    page.keyboard.press("End")
    assert until(lambda: live.controls.changes == {"Smiling": 1.0})
    for role, count in (("slider", 3), ("radio", 5), ("checkbox", 1)):
        assert all(page.get_by_role(role).nth(i).is_enabled() for i in range(count))
    assert page.get_by_role("slider", name="Smiling").get_attribute("aria-valuetext") == "on"


def test_a_slider_follows_the_hand_that_holds_it_and_then_everyone(tab, live):
    """Another visitor moves the same slider all the while."""
    page, other = tab(), tab()
    box = page.locator("#slider-Smiling").bounding_box()
    row = box["y"] + box["height"] / 2

    def at(share):
        return box["x"] + 11 + share * (box["width"] - 22)

    page.mouse.move(at(0.2), row)
    page.mouse.down()
    for step in range(10):
        share = 0.2 + 0.06 * step
        page.mouse.move(at(share), row)
        drag(other, "Smiling", 0.05)
        page.wait_for_timeout(20)
        assert float(page.input_value("#slider-Smiling")) == pytest.approx(share, abs=0.03)
    page.wait_for_timeout(800)  # a hand that rests still holds it
    assert float(page.input_value("#slider-Smiling")) == pytest.approx(share, abs=0.03)
    page.mouse.up()
    drag(other, "Smiling", 0.5)
    assert until(lambda: live.controls.changes["Smiling"] == pytest.approx(0.5, abs=0.03))
    wanted = str(live.controls.changes["Smiling"])
    assert until(lambda: page.input_value("#slider-Smiling") == other.input_value("#slider-Smiling") == wanted)


def test_many_steps_of_a_key_are_all_taken(tab, live):
    page = tab()
    page.focus("#slider-Smiling")
    for _ in range(20):
        page.keyboard.press("ArrowRight", delay=10)
    assert until(lambda: live.controls.changes.get("Smiling") == pytest.approx(0.2))


def test_the_divider_is_dragged_and_a_click_beside_it_chooses_a_face(tab, live):
    page = tab()
    page.get_by_text("Split").click()
    page.locator("#divider").wait_for(state="visible", timeout=10_000)
    box = page.locator("#picture").bounding_box()
    middle, row = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(middle + 15, row)  # near it is enough
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], row, steps=5)
    page.mouse.up()
    assert float(page.input_value("#divider")) == pytest.approx(80, abs=1)
    assert live.controls.look.click is None
    page.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"])
    assert until(lambda: live.controls.look.click == pytest.approx((0.25, 0.5), abs=0.01))
    assert float(page.input_value("#divider")) == pytest.approx(80, abs=1)


def test_a_face_is_chosen_and_let_go_by_keys_too(tab, live):
    page = tab(PHONE)
    assert until(lambda: "to edit it alone" in page.inner_text("#who-words"))
    page.focus("#aim")
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    assert until(lambda: live.controls.look.click == pytest.approx((0.58, 0.46), abs=0.001))
    assert until(lambda: "Only the chosen face" in page.inner_text("#who-words"))
    page.focus("#everyone")
    page.keyboard.press("Enter")
    assert until(lambda: live.controls.look.click is None)
    assert until(lambda: page.evaluate("() => document.activeElement.id") == "aim")


def test_what_the_device_says_is_shown_for_a_moment(tab, live):
    page = tab()
    live.controls.say("kept as preset 1")
    said = page.locator("#said")
    said.wait_for(state="visible", timeout=5000)
    assert said.inner_text() == "kept as preset 1"
    said.wait_for(state="hidden", timeout=10_000)
