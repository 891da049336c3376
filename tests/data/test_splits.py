"""How a set is split into training and held-out pictures, and what a SPEC means."""

from __future__ import annotations

import pkgutil
from pathlib import Path

import pytest
from support.training.pictures import flat, folder_of, picture

from edgegan import data
from edgegan.data import kinds, open_labelled
from edgegan.data._files.pictures import in_split
from edgegan.runtime.errors import InputError

# Folders and splits


def test_splits_are_disjoint_complete_and_do_not_move_when_files_come(tmp_path: Path) -> None:
    names = [f"{i:06d}.jpg" for i in range(20_000)]
    held = [n for n in names if in_split(n, "heldout")]
    assert 0.09 < len(held) / len(names) < 0.11
    assert all(in_split(n, "train") != in_split(n, "heldout") for n in names)
    folder = folder_of(tmp_path / "p", 60)
    before = {s: set(flat(folder, s).files) for s in ("train", "heldout")}  # type: ignore[attr-defined]
    assert before["train"] | before["heldout"] == set(folder.iterdir())
    picture(99).save(folder / "0000.png")
    assert all(before[s] <= set(flat(folder, s).files) for s in before)  # type: ignore[attr-defined]


def test_domains_are_alphabetical_and_one_hot(tmp_path: Path) -> None:
    for name in ("zebra", "ant", "mole"):
        folder_of(tmp_path / "p" / name, 20)
    pictures = open_labelled(f"folders:{tmp_path / 'p'}", size=16, names=())
    assert pictures.names == ("ant", "mole", "zebra") and pictures.groups == (pictures.names,)
    for i, file in enumerate(pictures.files):  # type: ignore[attr-defined]
        assert pictures.label(i).sum() == 1 and pictures.names[int(pictures.label(i).argmax())] == file.parent.name
    turned = open_labelled(f"folders:{tmp_path / 'p'}", size=16, names=("zebra", "ant"))
    assert turned.names == ("zebra", "ant") and turned.label(0).tolist() == [1, 0]
    with pytest.raises(InputError, match="no folder 'bee'"):
        open_labelled(f"folders:{tmp_path / 'p'}", size=16, names=("bee", "ant"))


def test_train_and_test_folders_are_the_split_and_labels_agree(tmp_path: Path) -> None:
    top = tmp_path / "p"
    for name in ("ant", "bee", "cow"):
        folder_of(top / "train" / name, 4)
    folder_of(top / "test" / "cow", 3)
    assert len(open_labelled(str(top), size=16, names=())) == 12
    heldout = open_labelled(str(top), size=16, names=(), split="heldout")
    assert len(heldout) == 3 and heldout.label(0).tolist() == [0, 0, 1]
    with pytest.raises(InputError, match="no third split"):
        open_labelled(str(top), size=16, names=(), split="judge")


def test_one_domain_is_refused_with_a_hint(tmp_path: Path) -> None:
    for name in ("ant", "bee"):
        folder_of(tmp_path / "top" / "pictures" / name, 3)
    with pytest.raises(InputError, match="one level too high"):
        open_labelled(f"folders:{tmp_path / 'top'}", size=16, names=())
    (tmp_path / "top" / "zero").mkdir()
    with pytest.raises(InputError, match="one level too high"):
        open_labelled(f"folders:{tmp_path / 'top'}", size=16, names=())


def test_a_flat_folder_has_no_labels(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "p", 12)
    for name in (".hidden", "Thumbs.db"):
        (folder / name).touch()
    pictures = flat(folder)
    assert not pictures.refused  # type: ignore[attr-defined]
    assert pictures.label(0).shape == (0,) and pictures.picture(0).shape == (16, 16, 3)
    with pytest.raises(InputError, match="no labels"):
        open_labelled(f"flat:{folder}", size=16, names=("Smiling",))


def test_a_bare_folder_is_recognised_by_what_lies_in_it(tmp_path: Path) -> None:
    folder_of(tmp_path / "flat", 12)
    for name in ("split/train", "split/test", "domains/ant", "domains/bee"):
        folder_of(tmp_path / name, 12)
    opened = {n: open_labelled(str(tmp_path / n), size=16, names=()).name for n in ("flat", "split", "domains")}
    assert {n: name.partition(":")[0] for n, name in opened.items()} == {
        "flat": "flat",
        "split": "flat",
        "domains": "folders",
    }


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("nothing-like-it", "neither a folder nor a kind"),
        ("flat:", "which folder"),
        ("folders:nowhere", "no such folder"),
        ("celeba:nowhere", "no such folder"),
        ("avatars:many", "not a number"),
    ],
)
def test_a_wrong_spec_says_what_would_be_right(spec: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        open_labelled(spec, size=16, names=())
    assert str(caught.value).count("\n") <= 2


def test_an_unknown_split_or_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no split is called 'dev'"):
        open_labelled("avatars", size=16, names=(), split="dev")
    (tmp_path / "p").mkdir()
    with pytest.raises(InputError, match="no pictures"):
        flat(tmp_path / "p")


def test_every_kind_offers_something_and_is_named_as_in_a_spec() -> None:
    assert {"avatars", "avatars-seasons", "celeba", "dicebear", "flat", "folders", "rafd", "unaligned"} <= set(kinds())
    modules = {m.name for m in pkgutil.iter_modules(data.__path__) if not m.name.startswith("_")}
    assert {kind.replace("-", "_") for kind in kinds()} == modules
    assert set(kinds(data.LABELLED)) >= {"avatars", "celeba", "flat", "folders", "rafd"}
    assert set(kinds(data.PAIRS)) <= set(kinds(data.DOMAINS)) < set(kinds())
