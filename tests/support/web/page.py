"""Pages to visit, for the tests; `tests/conftest.py` takes the fixtures in."""

import cv2
import numpy as np
import pytest

from edgegan.runtime.edit.editor import Editor
from edgegan.runtime.live.controls.attributes import Controls
from edgegan.runtime.live.web import Address, WebPage
from edgegan.runtime.metrics.live import LiveTally
from support import tiny_models
from support.web.visitor import frame, until


@pytest.fixture(scope="session")
def page_editor(tmp_path_factory):
    """Adds a colour to the whole frame for each attribute that is on."""
    path = tiny_models.write_editor(tmp_path_factory.mktemp("web"), faces=False, alignment=None)
    with Editor.open(path, backend="onnxruntime") as editor:
        yield editor


@pytest.fixture
def opened():
    """Opens pages on free ports and closes them: opened(editor=None, mark=True, **address and WebPage's own) -> page.

    A page's `controls` and `stats` are its attributes; visitors' editors give way to `editor`.
    """
    pages = []

    def open_page(editor=None, *, controls=None, limits=None, mark=True, faces=None, ice=(), **address):
        controls, stats = controls or Controls(tiny_models.NAMES, tiny_models.GROUPS), LiveTally()
        page = WebPage(
            controls,
            stats,
            {"model": "tiny"},
            address=Address(**{"port": 0, **address}),
            open_editor=(lambda: editor.another(give_way=True)) if editor else None,
            limits=limits,
            mark=mark,
            faces=faces,
            ice=ice,
        )
        page.controls, page.stats = controls, stats
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.close()


def show(page, number=0, value=90, before=None):
    """Writes one frame once somebody watches."""
    assert until(lambda: page._broadcast.watchers)
    page.sink.write(frame(number, value), before)


def up(image):
    """What a visitor's camera sends."""
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


def far(one, other):
    """The mean difference of two pictures in levels."""
    return np.abs(one.astype(int) - other.astype(int)).mean()
