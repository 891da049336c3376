"""What every family with students tells of them holds; runs over the families that are there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from support.training.joint import joint

from edgegan import families
from edgegan.distil.teacher import find_generators, first_output
from edgegan.families import Step

pytest.importorskip("dicebear", reason="needs the avatars extra")
ABLE = [name for name in families.names() if families.get(name).distillation is not None]


def step_of(family: Any, cfg: Any, count: int = 2) -> Step:
    """The first training pictures."""
    streams = {}
    for name, stream in family.streams(cfg, cfg.train.data).items():
        items = [stream.item(i, np.random.default_rng(i)) for i in range(count)]
        streams[name] = {key: torch.from_numpy(np.stack([item[key] for item in items])) for key in items[0]}
    return Step(streams, first_image=0, seed=0)


def test_translators_and_generators_have_students() -> None:
    assert {"stargan", "cyclegan", "pix2pix", "fastgan"} <= set(ABLE)


@pytest.mark.parametrize("name", ABLE)
def test_students_take_what_their_teacher_takes_and_give_pictures_of_its_size(name: str) -> None:
    family = families.get(name)
    cfg = family.tiny()
    students = family.distillation.students(cfg)
    assert len({str(each) for each in students}) > 1
    given = family.distillation.inputs(cfg, step_of(family, cfg))
    assert set(given) == set(family.EMA)
    teacher = family.networks(cfg)
    for student in students[-2:]:
        assert student.train == cfg.train
        nets = family.networks(student)
        for network, inputs in given.items():
            expected, found = (first_output(each[network](*inputs)) for each in (teacher, nets))
            assert found.shape == expected.shape
        cards = [
            [s.card.inputs for s in find_generators(family, c, n, "").values()]
            for c, n in ((cfg, teacher), (student, nets))
        ]
        assert cards[0] == cards[1]


@pytest.mark.parametrize("name", ABLE)
def test_what_is_shown_depends_on_the_pictures_numbers_alone(name: str) -> None:
    family = families.get(name)
    cfg = family.tiny()
    first, again = (family.distillation.inputs(cfg, step_of(family, cfg)) for _ in range(2))
    assert all(torch.equal(a, b) for key in first for a, b in zip(first[key], again[key], strict=True))


def test_each_set_of_a_joint_teacher_is_taught_with_its_own_mask() -> None:
    family, cfg = families.get("stargan"), joint()
    image, condition = family.distillation.inputs(cfg, step_of(family, cfg, 4))["generator"]
    assert len(image) == len(condition) == 8 and condition.shape[1] == cfg.label_width
    assert torch.equal(condition[:4, -2:], torch.tensor([[1.0, 0.0]]).expand(4, 2))
    assert torch.equal(condition[4:, -2:], torch.tensor([[0.0, 1.0]]).expand(4, 2))
    assert not condition[:4, cfg.slots[1].here].any() and not condition[4:, cfg.slots[0].here].any()


@pytest.mark.parametrize("stride", [1, 2])
def test_a_film_generator_works_at_half_the_size_and_sees_every_pixel(stride: int) -> None:
    """With `stem_stride` 2 each pixel of the input still reaches the output at its own place."""
    from edgegan.families.stargan.film import FilmGenerator

    torch.manual_seed(0)
    net = FilmGenerator(3, 8, 1, mask=False, stem_stride=stride, depthwise=True).eval()
    image = torch.rand(1, 3, 32, 32, requires_grad=True)
    out = net(image, torch.zeros(1, 3))
    assert out.shape == image.shape
    (gradient,) = torch.autograd.grad(out[0, :, 13, 18].sum(), image)
    seen = gradient[0].abs().sum(0)
    assert (seen > 0).float().mean() > 0.9
    assert seen[13, 18] > 5 * seen.mean()
