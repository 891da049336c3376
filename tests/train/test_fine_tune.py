"""`edgegan train --from`: what the other run knows is kept, attribute by attribute."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from edgegan.config import with_settings
from edgegan.families import cyclegan, stargan
from edgegan.runtime.errors import InputError
from edgegan.train.fine_tune import find_weights, start_from
from edgegan.train.folder.run import Run, open_run
from edgegan.train.loop import Trainer
from edgegan.train.session import Request, load_config

pytest.importorskip("dicebear", reason="needs the avatars extra")
NAMES = ("Black_Hair", "Blond_Hair", "Eyeglasses", "Smiling")
FILM = ["conditioning=film", "size=32", "d_layers=3", "flip=false"]


def trainer(folder: Path, seed: int, *settings: str) -> Trainer:
    cfg = with_settings(stargan.tiny(), [f"train.seed={seed}", *settings])
    return Trainer(Run(folder, "stargan", cfg, "avatars:8"), torch.device("cpu"))


def names(*chosen: str) -> str:
    return "attributes=[" + ", ".join(f'"{n}"' for n in chosen) + "]"


@pytest.mark.parametrize("settings", [(), FILM], ids=["planes", "film"])
def test_attributes_in_another_order_make_the_same_pictures(tmp_path: Path, settings: tuple[str, ...]) -> None:
    old = trainer(tmp_path / "old", 1, *settings)
    old.run.write_config()
    old.save()
    order = (3, 0, 2, 1)
    new = trainer(tmp_path / "new", 2, *settings, names(*(NAMES[i] for i in order)))
    taken = start_from(tmp_path / "old", new)
    assert taken.new == () and taken.fresh == 0 and set(taken.known) == set(NAMES)
    size = old.run.cfg.size  # type: ignore[attr-defined]
    image, label = torch.rand(2, 3, size, size) * 2 - 1, torch.rand(2, 4)
    for nets in ("nets", "ema"):
        before, after = (getattr(t, nets)["generator"].eval() for t in (old, new))
        with torch.no_grad():
            torch.testing.assert_close(after(image, label[:, list(order)]), before(image, label), atol=1e-5, rtol=0)
    with torch.no_grad():
        found, expected = (t.nets["discriminator"](image)[1] for t in (new, old))
    torch.testing.assert_close(found, expected[:, list(order)])


def test_a_new_attribute_begins_anew_and_the_others_keep_what_they_know(tmp_path: Path) -> None:
    old = trainer(tmp_path / "old", 1)
    old.run.write_config()
    old.save()
    new = trainer(tmp_path / "new", 2, names("Blond_Hair", "Wearing_Hat", "Smiling"))
    fresh = new.nets["generator"].state_dict()["main.0.weight"].clone()
    taken = start_from(tmp_path / "old", new)
    assert taken.known == ("Blond_Hair", "Smiling") and taken.new == ("Wearing_Hat",) and taken.fresh == 0
    kept, theirs = (t.nets["generator"].state_dict()["main.0.weight"] for t in (new, old))
    assert torch.equal(kept[:, :3], theirs[:, :3])
    assert torch.equal(kept[:, 3], theirs[:, 4]) and torch.equal(kept[:, 5], theirs[:, 6])
    assert torch.equal(kept[:, 4], fresh[:, 4])


def test_what_does_not_fit_is_counted_or_refused(tmp_path: Path) -> None:
    old = trainer(tmp_path / "old", 1)
    old.run.write_config()
    old.save()
    wider = trainer(tmp_path / "wider", 2, "conv_dim=8")
    taken = start_from(tmp_path / "old", wider)
    assert taken.fresh > 0 and "do not fit" in str(taken)
    other = Trainer(Run(tmp_path / "c", "cyclegan", cyclegan.tiny(), "avatars-seasons:8"), torch.device("cpu"))
    with pytest.raises(InputError, match="a run of stargan"):
        start_from(tmp_path / "old", other)
    with pytest.raises(InputError, match="avatars"):
        find_weights("nobody")
    assert find_weights("avatars").name == "avatars-128"


def test_without_a_preset_a_run_is_configured_as_the_one_it_begins_with(tmp_path: Path) -> None:
    trainer(tmp_path / "old", 0).run.write_config()
    request = Request(
        family="stargan", preset=None, data=None, folder=tmp_path / "new", images=7, minutes=None,
        settings=("conv_dim=5",), resume=False, start_from=str(tmp_path / "old"), dry_run=False, device="cpu",
        threads=None,
    )  # fmt: skip
    cfg, old = load_config(request), open_run(tmp_path / "old").cfg
    assert cfg == with_settings(old, ("conv_dim=5", "train.images=7")) and cfg != old
    with pytest.raises(InputError, match="a run of stargan"):
        load_config(dataclasses.replace(request, family="cyclegan"))
