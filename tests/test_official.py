"""Official checkpoints: what is imported equals the published network, and what cannot be is refused in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.official import stargan as published

from edgegan import families, official
from edgegan.families import Imported, ImportOptions, stargan
from edgegan.families.stargan.config import Config
from edgegan.families.stargan.networks import Classifier, Discriminator
from edgegan.runtime.errors import InputError
from edgegan.train.folder.run import open_trained

FIVE = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")
EIGHT = ("angry", "contemptuous", "disgusted", "fearful", "happy", "neutral", "sad", "surprised")


def import_files(files: dict[str, Any], **options: Any) -> tuple[Config, Imported]:
    found = stargan.import_official(files, ImportOptions(**options))
    assert found is not None and isinstance(found.cfg, Config)
    return found.cfg, found


@pytest.mark.parametrize("old,counters,prefix", [(False, True, ""), (True, False, ""), (False, False, "module.")])
@pytest.mark.parametrize("width,blocks,labels", [(4, 2, 5), (6, 1, 3)])
def test_an_imported_stargan_is_the_published_network(
    tmp_path: Path, old: bool, counters: bool, prefix: str, width: int, blocks: int, labels: int
) -> None:
    g = published.generator_state(width, labels, blocks, counters=counters)
    d = published.discriminator_state(32, 4, 3, labels)
    for name, state in (("200000-G.ckpt", g), ("200000-D.ckpt", d)):
        if old:
            published.save_as_pytorch_0_3(state, tmp_path / name)
        else:
            torch.save({prefix + key: t for key, t in state.items()}, tmp_path / name)
    out = tmp_path / "run"
    options = ImportOptions(attributes=FIVE[:labels])
    official.import_files([tmp_path / "200000-G.ckpt", tmp_path / "200000-D.ckpt"], out, options, "stargan")
    run, nets, found = open_trained(out)
    assert isinstance(run.cfg, Config) and run.cfg.size == 32 and run.cfg.attributes == FIVE[:labels]
    image, label = torch.rand(2, 3, 36, 44) * 2 - 1, torch.rand(2, labels).round()
    with torch.no_grad():
        torch.testing.assert_close(
            nets["generator"](image, label), published.generate(g, image, label), atol=1e-4, rtol=0
        )
        image, head = torch.rand(2, 3, 32, 32) * 2 - 1, nets["discriminator"]
        assert isinstance(head, Discriminator)
        torch.testing.assert_close(
            Classifier(head)(image), torch.sigmoid(published.classify(d, image)), atol=1e-4, rtol=0
        )
    assert found.header["images"] == 200000 * 16 and found.header["weights_only"]


def test_the_authors_own_sizes_are_inferred() -> None:
    with torch.device("meta"):
        g = {
            k: torch.empty(t.shape)
            for k, t in stargan.networks(Config(attributes=FIVE))["generator"].state_dict().items()
        }
        d = stargan.networks(Config(size=256, attributes=FIVE))["discriminator"].state_dict()
    cfg, found = import_files({"G.ckpt": g, "D.ckpt": d})
    assert (cfg.size, cfg.conv_dim, cfg.blocks, cfg.d_conv_dim, cfg.d_layers) == (256, 64, 6, 64, 6)
    assert cfg.attributes == FIVE and set(found.networks) == {"generator", "discriminator"}
    assert cfg.alignment is not None and cfg.centre_crop == 178 and "non-commercial" in cfg.licence
    cfg, found = import_files({"G.ckpt": g})
    assert cfg.size == 128 and set(found.networks) == {"generator"}
    assert any("no classifier" in note for note in found.notes)


def test_the_eyes_lie_where_celebas_centre_crop_has_them() -> None:
    """CelebA's aligned pictures are 178 x 218 with the eyes at about (69, 111) and (108, 111); 20 rows are cut off."""
    cfg, _ = import_files({"G.ckpt": published.generator_state()}, size=64)
    assert cfg.alignment is not None
    np.testing.assert_allclose(cfg.alignment.left_eye, (69 / 178, 91 / 178), atol=0.01)
    np.testing.assert_allclose(cfg.alignment.right_eye, (108 / 178, 91 / 178), atol=0.01)


def test_what_the_labels_mean_decides_how_they_are_used() -> None:
    cfg, _ = import_files({"G": published.generator_state(labels=8)}, attributes=EIGHT, domain="faces of actors")
    assert cfg.kind == "one_hot" and cfg.groups == (EIGHT,) and cfg.domain == "faces of actors" and not cfg.licence
    cfg, _ = import_files({"G": published.generator_state(labels=2)}, attributes=("Eyeglasses", "Smiling"))
    assert cfg.kind == "attributes" and cfg.groups == ()


@pytest.mark.parametrize("with_d", [False, True])
def test_a_model_of_two_label_sets_takes_names_for_both(with_d: bool) -> None:
    files = {"G": published.generator_state(labels=15)}
    if with_d:
        files["D"] = published.discriminator_state(labels=13)
        with pytest.raises(InputError, match=r"13 labels and a mask of 2.*\n.*--attributes"):
            import_files(files)
    cfg, found = import_files(files, attributes=FIVE + EIGHT)
    assert [s.attributes for s in cfg.sets] == [FIVE, EIGHT] and cfg.label_width == 15
    stargan.networks(cfg)["generator"].load_state_dict(dict(found.networks["generator"]))
    with pytest.raises(InputError, match="first attributes of CelebA"):
        import_files(files, attributes=EIGHT + FIVE)


@pytest.mark.parametrize(
    "files,options,words",
    [
        ({"G": published.generator_state(labels=4)}, {}, "4 labels; their names are not in the file"),
        ({"G": published.generator_state()}, {"attributes": FIVE[:2]}, "5 labels; --attributes names 2"),
        ({"G": published.generator_state()}, {"size": 30}, "multiples of 4"),
        ({"G": published.generator_state(), "D": published.discriminator_state()}, {"size": 64}, "trained at 32"),
        ({"G": published.generator_state(), "D": published.discriminator_state(labels=4)}, {}, "two trainings"),
        ({"D": published.discriminator_state()}, {}, "one generator"),
        ({"G": published.generator_state(), "H": published.generator_state()}, {}, r"G \(a generator\), H \(a gen"),
        ({"G": published.generator_state(), "X": {"a": torch.ones(1)}}, {}, "X"),
    ],
)
def test_what_a_stargan_import_cannot_use_is_said(files: dict[str, Any], options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        import_files(files, **options)


@pytest.mark.parametrize("other", [{}, [], {"g": {"a": torch.ones(1)}}, {"main.0.weight": torch.ones(2, 3, 7, 7)}, 3])
def test_other_layouts_are_not_stargans(other: Any) -> None:
    assert stargan.import_official({"x.pth": other}, ImportOptions()) is None


@pytest.fixture
def two_families(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """StarGAN and another whose answer a test sets; the registry holds these two."""
    answer: dict[str, Any] = {"is": None}

    class Other:
        @staticmethod
        def import_official(files: Any, options: Any) -> Any:
            if isinstance(answer["is"], Exception):
                raise answer["is"]
            return answer["is"]

    monkeypatch.setattr(families, "names", lambda: ("bare", "other", "stargan"))
    known = {"stargan": stargan, "other": Other, "bare": replace(stargan.FAMILY, import_official=None)}
    monkeypatch.setattr(families, "get", lambda name: known[name])
    return answer


def test_the_one_family_that_knows_the_layout_is_taken(two_families: dict[str, Any]) -> None:
    state = published.generator_state()
    assert official.recognise({"G": state}, ImportOptions())[0] == "stargan"
    two_families["is"] = stargan.import_official({"G": state}, ImportOptions())
    with pytest.raises(InputError, match=r"(?s)other and stargan alike.*--family other"):
        official.recognise({"G": state}, ImportOptions())
    assert official.recognise({"G": state}, ImportOptions(), "stargan")[0] == "stargan"
    with pytest.raises(InputError, match=r"(?s)not a checkpoint of stargan, but of other: G holds a \(1,\)"):
        official.recognise({"G": {"a": torch.ones(1)}}, ImportOptions(), "stargan")


def test_a_layout_that_nobody_knows_is_described(two_families: dict[str, Any]) -> None:
    odd = {f"layer{i}.w": torch.ones(2, i) for i in range(6)}
    with pytest.raises(InputError, match=r"layer0.w \(2, 0\), .* and 2 more\n.*checkpoints: other, stargan"):
        official.recognise({"odd.pth": odd}, ImportOptions())
    with pytest.raises(InputError, match=r"not a checkpoint of stargan: odd.pth holds layer0"):
        official.recognise({"odd.pth": odd}, ImportOptions(), "stargan")
    with pytest.raises(InputError, match="bare: it has no official checkpoints"):
        official.recognise({"odd.pth": odd}, ImportOptions(), "bare")
    two_families["is"] = InputError("known, but of another width")
    with pytest.raises(InputError, match="known, but of another width"):
        official.recognise({"odd.pth": odd}, ImportOptions())
