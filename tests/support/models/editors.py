"""A tiny editor of faces and a picture for it; `tests/conftest.py` takes the fixtures in."""

import numpy as np
import pytest

from edgegan.runtime import Editor
from edgegan.runtime.live.sources.synthetic import Synthetic
from support import tiny_models

SIZE = 32


@pytest.fixture(scope="session")
def shared_editor(tmp_path_factory):
    """One for all tests that change nothing about it; see `face_editor`."""
    with Editor.open(tiny_models.write_editor(tmp_path_factory.mktemp("editor"), size=SIZE)) as editor:
        yield editor


@pytest.fixture
def face_editor(shared_editor):
    """With crops of SIZE pixels; it has seen no faces yet."""
    yield shared_editor
    shared_editor.reset()


@pytest.fixture(scope="session")
def any_size(tmp_path_factory):
    """The negative of any picture whose sides are multiples of 4; its network fails on all others."""
    return tiny_models.write_whole_frame(tmp_path_factory.mktemp("any"), hw=(64, 64), multiple=4)


@pytest.fixture(scope="session")
def scene():
    """(240, 320, 3) uint8 BGR: a drawn face."""
    pytest.importorskip("resvg_py")
    return Synthetic((240, 320), seed=2).frame_at(3)


def crop(red=60, green=60, blue=60):
    """A crop of one colour."""
    return np.full((SIZE, SIZE, 3), (blue, green, red), np.uint8)
