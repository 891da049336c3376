"""Frames on a true GPU, edited as on the host: PyTorch's arrays, the shipped models and whatever backend runs them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.faces.real_faces import astronaut, turn

from edgegan.runtime import DeviceEditor, Editor, FaceFinder
from edgegan.runtime.backends.nvidia import libraries

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(libraries.gpu_count() == 0, reason="the NVIDIA driver shows no GPU here"),
]
CHANGES = {"Brown_Hair": 1.0}


@pytest.fixture(scope="module")
def frame() -> np.ndarray:
    """(720, 1281, 3) BGR: two faces, one of them turned."""
    face = np.repeat(np.repeat(astronaut(), 2, axis=0), 2, axis=1)
    frame = np.full((720, 1281, 3), 90, np.uint8)
    frame[60:660, 20:620] = face
    frame[100:700, 660:1260] = turn(face[:, ::-1], 15)
    return frame


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    error = ((a.astype(float) - b) ** 2).mean()
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


@pytest.mark.parametrize("searched", [False, True])
def test_it_edits_as_the_host_does(frame: np.ndarray, searched: bool) -> None:
    torch = pytest.importorskip("torch")
    with Editor.open("portraits", device="cpu") as editor:
        expected = editor.edit(frame, CHANGES)
    stream = torch.cuda.Stream()
    with DeviceEditor.open("portraits") as editor, torch.cuda.stream(stream):
        wide = torch.zeros((720, 1301, 3), dtype=torch.uint8, device="cuda")
        given = wide[:, 7:1288]  # rows lie apart
        given.copy_(torch.from_numpy(frame))
        out = torch.zeros((720, 1281, 3), dtype=torch.uint8, device="cuda")
        places = None if searched else FaceFinder().find(frame)
        for _ in range(3):
            editor.edit(given, CHANGES, out=out, places=places)
        assert np.array_equal(given.cpu().numpy(), frame)
        assert psnr(expected, out.cpu().numpy()) > (35.0 if searched else 40.0)
        assert not wide[:, :7].any() and not wide[:, 1288:].any()
        editor.edit(given, CHANGES, out=given, places=places)
        assert np.array_equal(given.cpu().numpy(), out.cpu().numpy())


def test_every_kind_of_network_s_pictures_passes_its_trial() -> None:
    """Every graph, in every form, against the CPU."""
    from itertools import product

    import msgspec

    from edgegan.runtime.edit.device.graphs import Graphs
    from edgegan.runtime.edit.device.steps import Look
    from edgegan.runtime.model.artefact import load

    image = load("portraits").card.inputs[0]
    for layout, dtype, matched in product(("NCHW", "NHWC"), ("float32", "float16", "uint8"), (False, True)):
        spec = msgspec.structs.replace(image, layout=layout, dtype=dtype)
        Graphs("cuda:0", spec, spec, Look(0.06, guard=True, colour_match=matched)).close()


def test_memory_does_not_grow(frame: np.ndarray) -> None:
    torch = pytest.importorskip("torch")
    places = FaceFinder().find(frame)
    with DeviceEditor.open("portraits") as editor:
        given = torch.from_numpy(frame).cuda()
        for _ in range(10):
            editor.edit(given, CHANGES, out=given, places=places)
        before = torch.cuda.mem_get_info()[0]
        for _ in range(100):
            editor.edit(given, CHANGES, out=given, places=places)
        assert before - torch.cuda.mem_get_info()[0] < 4 << 20
