"""CycleGAN: published checkpoints."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.official.networks import resnet_forward, resnet_state

from edgegan.export.graph import trace, variants
from edgegan.families import ImportOptions, cyclegan
from edgegan.families.cyclegan.config import Config
from edgegan.runtime.errors import InputError


def test_what_is_missing_from_an_import_is_neither_shown_nor_exported() -> None:
    cfg = cyclegan.tiny()
    nets = {"BtoA": cyclegan.networks(cfg)["BtoA"]}
    assert list(cyclegan.preview(cfg, nets, "avatars-seasons").columns) == ["winter", "to summer", "true summer"]
    (spec,) = cyclegan.exportable(cfg, nets, "")
    assert (spec.folder, spec.card.direction, spec.name) == ("BtoA", "BtoA", "model")
    assert "drawn faces" in spec.note


# --- official checkpoints ---


def test_both_official_directions_come_alive_and_survive_export() -> None:
    published = {name: resnet_state(4, 2, scale=0.3) for name in ("latest_net_G_B.pth", "latest_net_G_A.pth")}
    imported = cyclegan.import_official(published, ImportOptions(size=32, domain="photographs"))
    assert imported and list(imported.networks) == ["AtoB", "BtoA"]
    cfg = imported.cfg
    assert isinstance(cfg, Config)
    assert (cfg.size, cfg.ngf, cfg.blocks, cfg.norm, cfg.dropout) == (32, 4, 2, "instance", False)
    nets = cyclegan.networks(cfg)
    for name, state in imported.networks.items():
        nets[name].load_state_dict(state)
    for spec, letter in zip(cyclegan.exportable(cfg, nets, ""), "AB", strict=True):
        ort = pytest.importorskip("onnxruntime")
        spec = variants.with_size(spec, (36, 52))
        image = torch.rand(1, 3, 36, 52) * 2 - 1
        expected = resnet_forward(published[f"latest_net_G_{letter}.pth"], image, 2).numpy()
        assert expected.std() > 0.1
        session = ort.InferenceSession(trace.to_onnx(spec).SerializeToString(), providers=["CPUExecutionProvider"])
        (out,) = session.run(["edited"], {"image": image.numpy()})
        assert np.abs(out - expected).max() < 1e-4


def test_one_file_is_the_direction_that_its_name_says_or_a_to_b() -> None:
    state = resnet_state(4, 6, affine=True)
    for name, direction in (("horse2zebra.pth", "AtoB"), ("latest_net_G_B.pth", "BtoA"), ("G_BtoA.pth", "BtoA")):
        imported = cyclegan.import_official({name: state}, ImportOptions())
        assert imported and list(imported.networks) == [direction], name
        assert isinstance(imported.cfg, Config) and imported.cfg.norm == "instance-affine" and imported.cfg.size == 256


def test_files_that_are_not_ours_are_left_and_those_that_disagree_refused() -> None:
    options = ImportOptions()
    assert cyclegan.import_official({"g.pth": resnet_state(4, 2, dropout=True)}, options) is None
    assert cyclegan.import_official({"g.pth": {"a": torch.zeros(3)}}, options) is None
    with pytest.raises(InputError, match="say the direction"):
        cyclegan.import_official({"one.pth": resnet_state(4, 2), "two.pth": resnet_state(4, 2)}, options)
    with pytest.raises(InputError, match="differ"):
        cyclegan.import_official({"n_G_A.pth": resnet_state(4, 2), "n_G_B.pth": resnet_state(4, 3)}, options)
    discriminator = cyclegan.networks(cyclegan.tiny())["D_A"].state_dict()
    imported = cyclegan.import_official({"n_G_A.pth": resnet_state(4, 2), "n_D_A.pth": discriminator}, options)
    assert imported and "n_D_A.pth: left out, not a generator" in imported.notes
