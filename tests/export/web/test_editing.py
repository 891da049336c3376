"""What the page's editor makes of a frame, beside what `Editor` makes of it: in a real Chromium, in its worker."""

from itertools import product

import msgspec
import numpy as np
import pytest
from support import tiny_models
from support.faces import real_faces
from support.needed import needed
from support.web.site import OPEN, READY_MS, edit_in, npm_package, psnr, serve

needed("tflite", "export")

from edgegan.export.web import export_site  # noqa: E402
from edgegan.runtime import Editor  # noqa: E402
from edgegan.runtime.live.sources.synthetic import Synthetic  # noqa: E402
from edgegan.runtime.model.artefact import load  # noqa: E402
from edgegan.runtime.model.condition import Condition  # noqa: E402

VALUES = (None, 0.0, 0.5, 1.0)
PASSES = """async (asked) => {
    const { vectorsOf } = await import("./network/condition.js");
    return asked.map(([condition, label, changes]) => vectorsOf(condition, label, changes));
}"""
FRAME_DB = 60.0  # asked for are 35; where a rounding goes the other way, a value is one level off


@pytest.fixture(scope="module")
def opened_site(chromium, site):
    """Opens a site's editor in a tab: opened_site(folder) -> (page, what it told)."""
    contexts, servers = [], []

    def open_site(folder):
        server = serve(folder)
        servers.append(server)
        address, _ = server.__enter__()
        context = chromium.new_context()
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(READY_MS)
        page.goto(address + "licences.txt")  # of the site's origin, and quiet
        return page, page.evaluate(OPEN)

    yield open_site
    for context in contexts:
        context.close()
    for server in servers:
        server.__exit__(None, None, None)


@pytest.fixture(scope="module")
def shipped(opened_site, site):
    page, told = opened_site(site.folder)
    assert told["backend"] == "wasm" and told["psnr"] >= 80, "the network itself"
    with Editor.open("avatars", backend="onnxruntime", threads=1) as editor:
        yield page, editor


@pytest.fixture(scope="module")
def drawn():
    with Synthetic((480, 640), seed=9) as camera:
        return [camera.frame_at(100 + i) for i in range(12)]


@pytest.mark.parametrize(
    "changes", [{"Blond_Hair": 1.0}, {"Eyeglasses": 1.0, "Wearing_Hat": 1.0}, {"Smiling": 0.6, "Gray_Hair": 0.5}]
)
def test_a_drawn_face_comes_out_as_from_the_runtime(shipped, drawn, changes):
    page, editor = shipped
    seen, told = edit_in(page, drawn[0], changes)
    wanted = editor.edit(drawn[0], changes)
    assert told["faces"] == 1 and psnr(wanted, drawn[0]) < 30, "nothing was edited"
    assert psnr(seen, wanted) > FRAME_DB


def test_a_photographed_face_is_found_and_put_back_alike(shipped):
    page, editor = shipped
    frame = real_faces.astronaut()
    seen, told = edit_in(page, frame, {"Eyeglasses": 1.0})
    assert told["faces"] == 1
    assert psnr(seen, editor.edit(frame, {"Eyeglasses": 1.0})) > FRAME_DB


def test_a_small_face_of_a_large_frame_is_found_alike(shipped):
    page, editor = shipped
    face = real_faces.astronaut()[60:220, 60:220]
    frame = np.full((1000, 1400, 3), 120, np.uint8)
    frame[700:860, 1100:1260] = face
    seen, told = edit_in(page, frame, {"Blond_Hair": 1.0})
    wanted = editor.edit(frame, {"Blond_Hair": 1.0})
    assert told["faces"] == 1 and not np.array_equal(wanted, frame)
    assert psnr(seen, wanted) > FRAME_DB


def test_a_face_that_lies_is_left_alone_alike(shipped):
    page, editor = shipped
    frame = np.ascontiguousarray(np.rot90(real_faces.astronaut(), 2))
    seen, told = edit_in(page, frame, {"Blond_Hair": 1.0})
    assert np.array_equal(seen, editor.edit(frame, {"Blond_Hair": 1.0}))
    assert told["faces"] == 0


def test_with_nothing_set_the_frame_comes_back_bit_for_bit(shipped, drawn):
    page, _ = shipped
    seen, _ = edit_in(page, drawn[0], {})
    assert np.array_equal(seen, drawn[0])


def test_a_moving_face_is_followed_as_by_the_runtime(shipped, drawn):
    page, editor = shipped
    changes, found = {"Blond_Hair": 1.0, "Eyeglasses": 1.0}, []
    page.evaluate("() => { ask({ type: 'reset' }); }")
    editor.reset()
    for index, frame in enumerate(drawn):
        seen, told = edit_in(page, frame, changes, seconds=index / 30)
        wanted = editor.edit(frame, changes, timestamp=index / 30)
        found.append(psnr(seen, wanted))
        assert told["faces"] == 1
    # The page searches a smaller copy, and only when its time allows: the two follow, a little differently.
    assert min(found) > 30 and np.mean(found) > 35


def test_the_page_makes_the_same_passes_as_the_runtime(shipped):
    page, _ = shipped
    cards = [
        Condition(kind="binary", names=("a", "b", "c"), groups=(("a", "b"),), default=(1.0, 0.0, 0.0)),
        Condition(kind="binary", names=("a", "c", "b"), groups=(("a", "b"),), default=(1.0, 0.0, 0.0)),
        Condition(kind="binary", names=("a", "b", "c"), sets=(("a", "b"), ("c",)), mask_slots=2, default=(0.0,) * 3),
    ]
    cards += [msgspec.structs.replace(card, one_at_a_time=True) for card in cards]
    labels = [{"a": 1.0, "b": 0.0, "c": 0.0}, {"a": 0.0, "b": 1.0, "c": 1.0}]
    changes = [{n: v for n, v in zip("abc", some, strict=True) if v is not None} for some in product(VALUES, repeat=3)]
    asked = [(card, label, change) for card in cards for label in labels for change in changes]
    seen = page.evaluate(PASSES, [[msgspec.to_builtins(card), label, change] for card, label, change in asked])
    for (card, label, change), vectors in zip(asked, seen, strict=True):
        assert vectors == card.vectors(label, change), (card, label, change)


def test_two_changes_at_once_come_out_as_from_the_runtime(opened_site, tmp_path):
    model = tiny_models.write_editor(tmp_path / "model", classifier=False, faces=False, alignment=None, size=64)
    condition = load(model).card.condition
    tiny_models.rewrite_card(model, condition=msgspec.structs.replace(condition, one_at_a_time=True))
    folder = export_site(model, tmp_path / "site", onnxruntime_web=npm_package()).folder
    page, _ = opened_site(folder)
    frame = np.random.default_rng(0).integers(0, 256, (60, 100, 3), dtype=np.uint8)
    changes = {"Smiling": 0.5, "Brown_Hair": 1.0}
    seen, _ = edit_in(page, frame, changes)
    with Editor.open(model, backend="onnxruntime") as editor:
        assert psnr(seen, editor.edit(frame, changes)) > 50
        assert psnr(seen, editor.edit(frame, {"Smiling": 0.5})) < 30


def test_a_model_of_whole_frames_needs_no_face(opened_site, tmp_path):
    model = tiny_models.write_editor(tmp_path / "model", classifier=False, faces=False, alignment=None, size=64)
    folder = export_site(model, tmp_path / "site", onnxruntime_web=npm_package()).folder
    page, _ = opened_site(folder)
    frame = np.random.default_rng(0).integers(0, 256, (60, 100, 3), dtype=np.uint8)
    seen, _ = edit_in(page, frame, {"Smiling": 1.0})
    with Editor.open(model, backend="onnxruntime") as editor:
        assert psnr(seen, editor.edit(frame, {"Smiling": 1.0})) > 50
