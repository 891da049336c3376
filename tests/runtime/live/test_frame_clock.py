"""One rule says when a frame is: by its file, its rate or its timestamp; and what a constant rate makes of it."""

from dataclasses import replace

import pytest
from support.frames import frame

from edgegan.runtime.live.frame_clock import ConstantRate, FrameClock
from edgegan.runtime.live.sound import Sound


def at(moment_s, number=0, frozen_s=0.0):
    return replace(frame(number), moment_s=moment_s, frozen_s=frozen_s)


def test_a_recorded_frame_is_where_its_file_has_it_and_else_where_its_rate_puts_it():
    clock = FrameClock(10)
    assert clock.moment_s(at(0.37, number=9)) == 0.37
    assert clock.moment_s(frame(9)) == 0.9
    assert clock.edit_s(at(0.37)) == 0.37 and clock.edit_s(frame(9)) == 0.9


def test_a_live_frame_is_at_its_timestamp_from_the_first_that_was_asked_about():
    clock = FrameClock(10, by_timestamp=True)
    assert clock.edit_s(frame(0, 99.0)) == 99.0  # asks for no place in an output
    assert [clock.moment_s(frame(n, t)) for n, t in ((1, 100.0), (5, 101.5))] == [0.0, 1.5]


def test_pictures_of_neither_moment_nor_rate_stand_alone():
    clock = FrameClock(known=False)
    assert clock.edit_s(frame(3)) is None
    assert clock.moment_s(frame(5)) == 0.2  # in an output they last as long as each other
    assert clock.edit_s(at(1.5)) == 1.5


def test_while_a_recording_is_held_at_one_picture_its_output_goes_on_and_the_sound_waits():
    clock = FrameClock(10)
    held = [at(0.5), at(0.5, 1, 0.1), at(0.5, 2, 0.2), at(0.6, 3, 0.2)]
    assert [clock.moment_s(f) for f in held] == pytest.approx([0.5, 0.6, 0.7, 0.8])
    assert [clock.sound_delay_s(f) for f in held] == [0.0, 0.1, 0.2, 0.2]
    assert clock.edit_s(held[2]) == pytest.approx(0.7)


def test_an_output_that_begins_in_the_middle_begins_at_0_with_its_own_sound():
    clock = FrameClock(10, sound=Sound("film.mp4", 1.4)).beginning_at(at(2.0, 20, 0.5))
    later = at(2.1, 21, 0.8)
    assert clock.moment_s(at(2.0, 20, 0.5)) == 0.0
    assert clock.moment_s(later) == pytest.approx(0.4)
    assert clock.sound_delay_s(later) == pytest.approx(0.3)
    assert clock.sound.origin_s + clock.sound.begin_s == pytest.approx(3.4)
    live = FrameClock(10, by_timestamp=True)
    live.moment_s(frame(0, 50.0))
    assert live.beginning_at(frame(9, 60.0)).moment_s(frame(10, 60.5)) == 0.5


@pytest.mark.parametrize(
    ("moments", "places"),
    [
        ([0.0, 0.1, 0.2], [(0, True), (0, True), (0, True)]),
        ([0.0, 0.1, 0.11, 0.4, 0.5], [(0, True), (0, True), (0, False), (2, True), (0, True)]),
        ([0.0, 0.3, 0.3], [(0, True), (2, True), (0, False)]),
    ],
    ids=["even", "uneven", "twice the same"],
)
def test_the_slots_of_a_constant_rate_are_filled_one_by_one(moments, places):
    rate = ConstantRate(FrameClock(10))
    assert [rate.place(at(moment)) for moment in moments] == places
    assert rate.filled == sum(missing + free for missing, free in places) == round(10 * moments[-1]) + 1
