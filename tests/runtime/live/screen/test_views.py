"""The views of a picture: each shows what it says."""

import numpy as np

from edgegan.runtime.live.controls.look import Look
from edgegan.runtime.live.screen.views import compose, frame_point

HW = (240, 320)


def ramp(hw=HW):
    return np.repeat(np.linspace(0, 120, hw[1], dtype=np.uint8)[None, :, None], hw[0], 0).repeat(3, 2)


def test_each_view_shows_what_it_says():
    before, after = ramp(), ramp() + 100
    assert np.array_equal(compose(after, before, Look()), after)
    assert np.array_equal(compose(after, before, Look(view="before"), "mark"), before)
    assert np.array_equal(compose(after, before, Look(mirror=True)), after[:, ::-1])
    assert np.array_equal(compose(after, None, Look(view="split")), after)
    assert np.array_equal(
        compose(after, before, Look(view="both", mirror=True)),
        np.hstack([before, after])[:, ::-1][:, np.r_[320:640, 0:320]],
    )
    for place in (0.0, 0.25, 1.0):
        divider = round(place * 320)
        shown = compose(after, before, Look(view="split", split=place))
        assert np.array_equal(shown[:40, : max(0, divider - 4)], before[:40, : max(0, divider - 4)])
        assert np.array_equal(shown[:40, divider + 4 :], after[:40, divider + 4 :])
        assert (shown[:, min(max(0, divider), 319)] == 255).all()
        turned = compose(after, before, Look(view="split", split=place, mirror=True))
        assert np.array_equal(turned[:40, : max(0, divider - 4)], before[:40, ::-1][:, : max(0, divider - 4)])
        assert np.array_equal(turned[:40, divider + 4 :], after[:40, ::-1][:, divider + 4 :])


def test_a_model_whose_pictures_have_another_size_can_be_compared():
    before, after = ramp((120, 160)), ramp()
    assert compose(after, before, Look(view="split")).shape == (*HW, 3)
    assert compose(after, before, Look(view="both")).shape == (240, 640, 3)


def test_a_click_is_told_in_the_frame_whatever_the_view():
    assert frame_point(Look(), 0.25, 0.5) == (0.25, 0.5)
    assert frame_point(Look(mirror=True), 0.25, 0.5) == (0.75, 0.5)
    assert frame_point(Look(view="both"), 0.75, 0.5) == (0.5, 0.5)
