"""A student begins with its teacher's strongest channels: what is left out is left out of every layer at once."""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
import torch.nn.functional as F
from support.training.small_training import run_command
from support.training.teachers import begin, make_student, make_teacher
from torch import Tensor, nn
from torch.nn.utils import remove_spectral_norm

from edgegan import families
from edgegan.distil.channels import Channel, find_channels
from edgegan.distil.pruning import match_layers, prune, prune_teacher
from edgegan.distil.teacher import first_output

pytest.importorskip("dicebear", reason="needs the avatars extra")
# (family, settings, of how many generators)
ROADS = [
    ("stargan", {"conditioning": "film", "mask": True, "conv_dim": 16, "blocks": 3}, 1),
    ("stargan", {"conditioning": "film", "conv_dim": 16, "stem_stride": 2, "depthwise": True, "size": 32}, 1),
    ("cyclegan", {"ngf": 16, "norm": "instance-affine", "blocks": 2}, 2),
    ("pix2pix", {"ngf": 16, "norm": "instance-affine"}, 1),
    ("fastgan", {"ngf": 8}, 1),
    ("dcgan", {"ngf": 16}, 1),
    ("wgan", {"ngf": 16}, 1),
]


class Tangle(nn.Module):
    """A gate of halves, a skip connection, a sum, a depthwise layer and a fold from a vector."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.vector = nn.Linear(3, 4 * width)
        self.first = nn.Conv2d(3, 2 * width, 3, padding=1)
        self.norm = nn.InstanceNorm2d(2 * width, affine=True)
        self.each = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.back = nn.ConvTranspose2d(width, width, 3, padding=1, bias=False)
        self.last = nn.Conv2d(width + 3, 3, 1)

    def forward(self, image: Tensor) -> Tensor:
        """(N, 3, H, W) -> the same shape."""
        value, gate = self.norm(self.first(image)).chunk(2, 1)
        x = self.each(value * torch.sigmoid(gate))
        folded = self.vector(image.mean((2, 3))).reshape(len(image), -1, 2, 2)
        x = x + self.back(F.relu(x)) + F.interpolate(folded, image.shape[2:])
        out: Tensor = self.last(torch.cat([image, x], 1))
        return out


def stir(net: nn.Module) -> nn.Module:
    """Its scales and shifts, which are all alike in a fresh network, differ; spectral norms are folded."""
    for module in net.modules():
        if hasattr(module, "weight_orig"):
            remove_spectral_norm(module)
    for tensor in net.state_dict().values():
        if tensor.dim() == 1 and len(tensor) > 1:
            tensor.uniform_(0.5, 1.5)
    return net.double().eval()


def silence(net: nn.Module, channels: list[Channel], share: float) -> None:
    """Of each kind of channel, a `share` is read by nobody any more."""
    state = net.state_dict()
    groups = defaultdict(list)
    for channel in channels:
        groups[frozenset((p.tensor, p.axis) for p in channel.written | channel.read)].append(channel)
    for group in groups.values():
        order = torch.randperm(len(group), generator=torch.Generator().manual_seed(1)).tolist()
        for number in order[: round(share * len(group))]:
            for place in group[number].read:
                state[place.tensor].select(place.axis, place.number).zero_()


def test_each_channel_of_a_tangled_network_is_found_with_all_that_belongs_to_it() -> None:
    net = Tangle(4)
    found = find_channels(net, (torch.rand(1, 3, 8, 8),))
    assert len(found) == 4
    for number, channel in enumerate(sorted(found, key=lambda c: min(c.read))):
        places = {(p.tensor, p.axis, p.number) for p in channel.written | channel.read}
        assert places == {
            *(("vector.weight", 0, 4 * number + i) for i in range(4)),
            *(("vector.bias", 0, 4 * number + i) for i in range(4)),
            *(
                (f"{layer}.{kind}", 0, n)
                for layer in ("first", "norm")
                for kind in ("weight", "bias")
                for n in (number, 4 + number)
            ),
            *((f"each.{kind}", 0, number) for kind in ("weight", "bias")),
            ("back.weight", 0, number),
            ("back.weight", 1, number),
            ("last.weight", 1, 3 + number),
        }
    assert not net.vector._forward_hooks and not net.vector._forward_pre_hooks and net.training


def test_the_strongest_of_a_tangled_network_stay_and_it_answers_as_before() -> None:
    torch.manual_seed(0)
    net, image = stir(Tangle(8)), torch.rand(2, 3, 8, 8, dtype=torch.float64)
    silence(net, find_channels(net, (image[:1],)), 0.5)
    small = Tangle(4).double().eval()
    small.load_state_dict(prune(net, small.state_dict(), (image[:1],)) or {})
    torch.testing.assert_close(small(image), net(image))
    assert prune(net, Tangle(12).state_dict(), (image[:1],)) is None, "a wider one cannot be had"


@pytest.mark.parametrize(("name", "settings", "count"), ROADS, ids=lambda v: v if isinstance(v, str) else "")
def test_a_generator_without_the_channels_that_nobody_reads_gives_the_same_picture(
    name: str, settings: dict[str, Any], count: int
) -> None:
    torch.manual_seed(0)
    family: Any = families.get(name)
    cfg = msgspec.structs.replace(family.tiny(), **settings)
    width = family.distillation.width
    narrow_nets = family.networks(msgspec.structs.replace(cfg, **{width: getattr(cfg, width) // 2}))
    for network, wide in family.networks(cfg).items():
        if network not in family.EMA:
            continue
        stir(wide), stir(narrow_nets[network])
        inputs = tuple(given.double() for given in family.example_inputs(cfg, network))
        silence(wide, find_channels(wide, inputs), 0.5)
        state = prune(wide, narrow_nets[network].state_dict(), inputs)
        assert state is not None and state.keys() == narrow_nets[network].state_dict().keys()
        narrow_nets[network].load_state_dict(state, strict=False)  # what folded a spectral norm asks for it for ever
        expected, found = (first_output(net(*inputs)) for net in (wide, narrow_nets[network]))
        torch.testing.assert_close(found, expected)
        assert expected.std() > 1e-3
        count -= 1
    assert count == 0


@pytest.mark.parametrize("name", ["stargan", "cyclegan"])
def test_of_a_deeper_teacher_the_last_blocks_are_left_out(name: str) -> None:
    family: Any = families.get(name)
    own = {"conditioning": "film"} if name == "stargan" else {"norm": "instance-affine"}
    short, long = (
        family.networks(msgspec.structs.replace(family.tiny(), blocks=blocks, **own))[family.EMA[0]]
        for blocks in (2, 5)
    )
    found = match_layers(short, long)
    assert len(set(found.values())) == len(found) > 8
    weights = {key: tensor for key, tensor in short.state_dict().items() if tensor.dim() > 1}
    whole = long.state_dict()
    for key, tensor in weights.items():
        layer, _, kind = key.rpartition(".")
        assert whole[f"{found[layer]}.{kind}"].shape == tensor.shape
    assert [*found.values()][-1] == [n for n, m in long.named_modules() if isinstance(m, nn.Conv2d)][-1]
    assert match_layers(long, short) == {}


def test_a_student_begins_there_and_not_where_layers_differ(tmp_path: Path) -> None:
    teacher = make_teacher(tmp_path / "teacher", "fastgan")
    run = make_student(tmp_path / "student", teacher, images=4)
    (state,) = prune_teacher(teacher, run.cfg).values()
    first = begin(make_student(tmp_path / "begun", teacher, beginning={"generator": state}, images=4))
    assert all(torch.equal(tensor, state[key]) for key, tensor in first.nets["generator"].state_dict().items())
    assert all(torch.equal(tensor, state[key]) for key, tensor in first.ema["generator"].state_dict().items())
    planes = make_teacher(tmp_path / "planes", "stargan")  # its labels are planes, and a student's are not
    assert prune_teacher(planes, make_student(tmp_path / "other", planes, images=4).cfg) == {}


def test_the_command_says_where_a_student_begins(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("onnxruntime", reason="needs the cpu extra")
    teacher = make_teacher(tmp_path / "teacher", "pix2pix").run.folder
    quick = ["--set", "ngf=6", "--set", "train.sample_images=0", "--budget", "0.001x", "--images", "4"]
    said = re.compile(r"begins with (?:\d+ )?(the teacher's strongest channels|tensors of generator)")
    for folder, settings, begun in (
        ("pruned", [], ["the teacher's strongest channels"]),
        ("fresh", ["--set", "distil.prune=false"], []),
        ("taught", ["--from", str(tmp_path / "pruned")], ["tensors of generator"]),
    ):
        out = ["--out", str(tmp_path / folder), "--device", "cpu", "--threads", "1"]
        assert run_command("distil", str(teacher), *quick, *settings, *out) == 0
        assert said.findall(capsys.readouterr().out) == begun
        shutil.rmtree(tmp_path / folder / "checkpoints")  # as if it had been killed before it saved any
        assert run_command("distil", *out, "--resume") == 0
        assert said.findall(capsys.readouterr().out) == begun
        assert run_command("distil", *out, "--resume", "--images", "8") == 0
        assert said.findall(capsys.readouterr().out) == [], "it goes on with its own weights"
