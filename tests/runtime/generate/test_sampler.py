"""Latents and the sampler: tiny real generators on real backends."""

import threading

import msgspec
import numpy as np
import pytest
from support import tiny_models

from edgegan.runtime import Editor, Sampler
from edgegan.runtime.errors import CardError, InputError
from edgegan.runtime.generate import latent
from edgegan.runtime.generate.walk import Walk
from edgegan.runtime.live.controls.walking import WalkControls

HW, WIDTH = (16, 24), 8


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_models.write_sampler(tmp_path_factory.mktemp("m"), hw=HW, width=WIDTH)


@pytest.fixture(scope="module")
def sampler(model):
    with Sampler.open(model) as sampler:
        yield sampler


def test_a_vector_depends_on_its_seed_and_number_alone():
    many = latent.draw(50, 16, seed=3)
    assert many.dtype == np.float32 and many.shape == (50, 16)
    assert np.array_equal(latent.draw(3, 16, seed=3), many[:3])
    assert np.array_equal(latent.draw(2, 16, seed=3, first=40), many[40:42])
    assert not np.array_equal(latent.draw(1, 16, seed=4)[0], many[0])
    assert not np.array_equal(many[0], many[1])


def test_vectors_are_normal_and_truncation_keeps_their_spread_inside():
    values = latent.draw(400, 64).ravel()
    assert abs(values.mean()) < 0.02 and values.std() == pytest.approx(1, abs=0.02)
    assert (np.abs(values) < 1).mean() == pytest.approx(0.6827, abs=0.01)
    near = latent.draw(400, 64, truncate=0.5)
    assert np.abs(near).max() <= 0.5 and near.std() == pytest.approx(0.2840, abs=0.01)  # of N(0, 1) cut at one half
    loose = latent.draw(5, 64, truncate=100.0)
    assert np.array_equal(loose, latent.draw(5, 64))


@pytest.mark.parametrize("arguments", [{"count": -1}, {"seed": -1}, {"seed": 1 << 64}, {"truncate": 0.01},
                                       {"truncate": float("nan")}])  # fmt: skip
def test_what_cannot_be_drawn_is_said(arguments):
    with pytest.raises(InputError):
        latent.draw(**{"count": 1, "width": 4, **arguments})


@pytest.mark.parametrize("way", ["spherical", "linear"])
def test_the_way_between_meets_both_ends_and_the_sphere_keeps_the_length(way):
    a, b = latent.draw(2, 256, seed=1)
    assert np.allclose(latent.interpolate(a, b, 0.0, way), a) and np.allclose(
        latent.interpolate(a, b, 1.0, way), b, atol=1e-6
    )
    middle = np.linalg.norm(latent.interpolate(a, b, 0.5, way)) / np.linalg.norm(a)
    assert middle == pytest.approx(1.0 if way == "spherical" else np.sqrt(0.5), abs=0.06)
    assert np.allclose(latent.interpolate(a, a, 0.3, way), a, atol=1e-6)


def test_a_walk_is_smooth_and_stops_at_its_stops():
    stops = latent.draw(4, 64)

    def at(position):
        return latent.walk(lambda k: stops[k % 4], position)

    assert all(np.allclose(at(k), stops[k % 4], atol=1e-6) for k in range(6))
    steps = [np.linalg.norm(at(p + 0.01) - at(p)) for p in np.arange(0, 4, 0.01)]
    assert max(steps) < 0.04 * np.linalg.norm(stops[0])
    assert steps[0] < 0.1 * max(steps)


def test_leaning_turns_and_keeps_the_length():
    here, axes = latent.draw(1, 64)[0], latent.directions(3, 64)
    assert np.allclose(axes @ axes.T, np.eye(3), atol=1e-5)
    assert np.array_equal(axes, latent.directions(3, 64))
    assert latent.lean(here, axes, np.zeros(3, np.float32)) is here
    for weight in (1.0, -1.0):
        turned = latent.lean(here, axes, np.array([0, weight, 0], np.float32))
        assert np.linalg.norm(turned) == pytest.approx(np.linalg.norm(here), rel=1e-5)
        assert np.sign((turned - here) @ axes[1]) == np.sign(weight)
    assert latent.directions(6, 2).shape == (2, 2)


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_pictures_are_those_of_the_model_and_do_not_depend_on_how_many(model, backend):
    with Sampler.open(model, backend=backend, threads=1) as sampler:
        eight = sampler.sample(8, seed=5)
        vectors = sampler.latents(8, seed=5)
        assert eight.shape == (8, *HW, 3) and eight.dtype == np.uint8
        for picture, vector in zip(eight, vectors, strict=True):
            assert np.abs(picture.astype(int) - tiny_models.sampler_picture(vector, vector)).max() <= 1
        assert np.array_equal(sampler.sample(1, seed=5)[0], eight[0])
        assert np.array_equal(sampler.generate(vectors[3:4])[0], eight[3])
        assert sampler.sample(0).shape == (0, *HW, 3)
        assert sampler.selection.backend == backend


def test_mixing_takes_shapes_from_one_and_colours_from_the_other(sampler):
    a, b = sampler.latents(2, seed=1)
    (mixed,) = sampler.mix(a[None], b[None])
    assert np.abs(mixed.astype(int) - tiny_models.sampler_picture(a, b)).max() <= 1
    assert np.array_equal(sampler.mix(a[None], a[None]), sampler.generate(a[None]))
    assert not np.array_equal(mixed, sampler.generate(a[None])[0])


def test_without_a_mixer_only_mixing_fails_and_says_why(tmp_path):
    with Sampler.open(tiny_models.write_sampler(tmp_path, mixer=False)) as sampler:
        assert len(sampler.sample(1)) == 1 and not sampler.can_mix
        with pytest.raises(InputError, match="without a style mixer"):
            sampler.mix(sampler.latents(1), sampler.latents(1))


def test_a_mixer_that_was_left_behind_is_missed_at_once(tmp_path):
    path = tiny_models.write_sampler(tmp_path)
    path.with_name("mixer.onnx").unlink()
    with pytest.raises(CardError, match=r"mixer\.onnx.*not beside it"):
        Sampler.open(path)


@pytest.mark.parametrize("wrong", [np.zeros(WIDTH), np.zeros((1, WIDTH + 1)), np.full((1, WIDTH), np.nan),
                                   np.array([["a"] * WIDTH])])  # fmt: skip
def test_latents_that_no_model_can_take_are_refused(sampler, wrong):
    with pytest.raises(InputError, match=f"n x {WIDTH}"):
        sampler.generate(wrong)
    with pytest.raises(InputError, match="2 latents and 1 styles"):
        sampler.mix(sampler.latents(2), sampler.latents(1))


def test_each_kind_of_model_names_the_other_door(model, tmp_path):
    with pytest.raises(InputError, match=r"'generate' model\n.*\n.*Sampler\.open"):
        Editor.open(model)
    editor = tiny_models.write_editor(tmp_path)
    with pytest.raises(InputError, match=r"'translate' model\n.*\n.*Editor\.open"):
        Sampler.open(editor)
    with pytest.raises(InputError, match="'classify' model"):
        Sampler.open(editor.with_name("classifier.onnx"))


def test_a_generator_that_wants_more_than_a_latent_is_refused(model):
    mixer = model.with_name("mixer.onnx")
    with pytest.raises(CardError, match="latent, style"):
        Sampler.open(mixer)


def test_threads_may_share_a_sampler_and_a_closed_one_says_so(model):
    with Sampler.open(model) as sampler:
        alone = sampler.sample(8)
        together: list = [None] * 8

        def work(i):
            for _ in range(10):
                together[i] = sampler.generate(sampler.latents(8)[i : i + 1])[0]
                sampler.mix(sampler.latents(1), sampler.latents(1))

        threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert np.array_equal(together, alone)
    sampler.close()
    with pytest.raises(InputError, match=r"this sampler is closed\nopen a new one with Sampler\.open"):
        sampler.sample(1)


def walk(sampler, keys="", steps=1, step_s=0.1, **options):
    """The latents of a walk at ten frames a second after `keys`."""
    controls = WalkControls(sampler.width, **options)
    going = Walk(sampler, controls, step_s=step_s)
    assert controls.press(keys)
    return [going.latent() for _ in range(steps)]


def test_a_walk_passes_the_pictures_of_its_seed_at_its_speed(sampler):
    found = walk(sampler, steps=41, seed=2, speed=0.5)
    stops = sampler.latents(3, seed=2)
    assert all(np.allclose(found[20 * k], stops[k], atol=1e-5) for k in range(3))
    assert not np.allclose(found[10], found[20], atol=0.1)
    assert np.array_equal(walk(sampler, steps=41, seed=2, speed=0.5), found)
    assert np.allclose(walk(sampler, keys="++", steps=11, seed=2, speed=0.5)[10], stops[1], atol=1e-5)


def test_the_keys_of_a_walk(sampler):
    stops, other = sampler.latents(4, seed=0), sampler.latents(1, seed=1)
    assert np.allclose(walk(sampler, "nn")[0], stops[2], atol=1e-6)
    assert np.allclose(walk(sampler, "g")[0], other[0], atol=1e-6)
    held = walk(sampler, " ", steps=5)
    assert all(np.array_equal(held[0], each) for each in held)
    moving = walk(sampler, "  ", steps=5)
    assert not np.array_equal(moving[0], moving[4])
    pushed = walk(sampler, "2]]]]")[0]
    assert not np.allclose(pushed, stops[0], atol=0.1)
    assert np.array_equal(walk(sampler, "2]]]]2[[[[")[0], walk(sampler)[0])
    assert np.array_equal(walk(sampler, "2]]]]0")[0], walk(sampler)[0])
    assert not WalkControls(WIDTH).press("q")


def test_a_walk_begins_where_its_sliders_are_put_and_refuses_what_they_cannot_be():
    assert WalkControls(8, values={"d3": 1.5}).sliders[2].value == 1.5
    for values in ({"d9": 1.0}, {"d1": 3.0}):
        with pytest.raises(InputError, match=r"d1, d2, d3, d4|from -2 to 2"):
            WalkControls(8, values=values)


def test_a_card_that_lies_about_the_latent_is_caught(tmp_path):
    path = tiny_models.write_sampler(tmp_path, mixer=False)
    with Sampler.open(path) as sampler:
        wider = msgspec.structs.replace(sampler.card.inputs[0], shape=(1, WIDTH + 1))
    tiny_models.rewrite_card(path, inputs=(wider,))
    with pytest.raises(CardError, match="latent"):
        Sampler.open(path)
