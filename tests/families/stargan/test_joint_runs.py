"""Joint training in small: runs resume, export and preview, and unlike data sets train together."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image
from support.training.celeba_files import make as make_celeba
from support.training.joint import EXPRESSIONS, FACE, HEAD, joint, mix_sets, networks, train

from edgegan import config
from edgegan.data import avatars as avatar_data
from edgegan.data import normalise, rafd
from edgegan.eval import counterfactual
from edgegan.eval.subject import open_subject
from edgegan.export import Exported, Request, export_run
from edgegan.families import stargan
from edgegan.families.stargan.config import Config
from edgegan.families.stargan.export import condition
from edgegan.runtime import Editor
from edgegan.runtime.drawn import avatars
from edgegan.runtime.errors import CardError, InputError
from edgegan.runtime.model.condition import Condition
from edgegan.train.folder.run import Run

HAIR3 = ("Black_Hair", "Blond_Hair", "Brown_Hair")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A joint run, trained straight for four rounds."""
    cfg = joint()
    run = Run(tmp_path_factory.mktemp("joint") / "run", "stargan", cfg, cfg.train.data)
    train(run, 16)
    return run


def test_joint_training_resumes_bit_for_bit(run: Run, tmp_path: Path) -> None:
    halved = Run(tmp_path / "halved", "stargan", run.cfg, run.data)
    train(halved, 8)
    train(halved, 16, resume=True)
    one, two = run.latest(), halved.latest()
    assert one.header["images"] == two.header["images"] == 16
    assert one.tensors.keys() == two.tensors.keys()
    assert all(torch.equal(tensor, two.tensors[key]) for key, tensor in one.tensors.items())


@pytest.fixture(scope="module")
def export(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return export_run(Request(run.folder, tmp_path_factory.mktemp("export") / "out", pictures=2))


def test_an_exported_joint_model_is_verified_and_edits_the_attributes_of_all_sets(run: Run, export: Exported) -> None:
    rows = {(row.path.name, row.backend): row.verification.status for row in export.rows}
    assert rows["model.onnx", "onnxruntime"] == rows["classifier.onnx", "onnxruntime"] == "passed"
    picture = avatars.render_rgb(avatars.sample_face(avatars.SPLITS["heldout"]), 16)[:, :, ::-1].copy()
    own = {"Black_Hair": 1.0, "Blond_Hair": 0.0, "Wearing_Hat": 0.0, "Eyeglasses": 0.0, "Smiling": 0.0}
    with Editor.open(export.folder, backend="onnxruntime") as editor:
        assert editor.card.condition.sets == (HEAD, FACE) and editor.card.condition.mask_slots == 2
        assert editor.card.training["data"] == "head=avatars:12@1,face=avatars:10@2"
        hair = editor.translate(picture, {"Blond_Hair": 1.0}, own)
        smile = editor.translate(picture, {"Smiling": 1.0}, own)
        both = editor.translate(picture, {"Smiling": 1.0, "Blond_Hair": 1.0}, own)
        assert np.array_equal(both, editor.translate(hair, {"Smiling": 1.0}, own)), "one pass per set, in order"
        assert len({p.tobytes() for p in (picture, hair, smile, both)}) == 4
        assert np.array_equal(editor.translate(picture, {}, own), picture), "no change, no pass"


def test_the_eager_model_and_the_artefact_make_the_same_edit_of_an_unlabelled_set(run: Run, export: Exported) -> None:
    """What `edgegan eval` scores: faces of the first set, edited to what only the second one names."""
    outputs = []
    for path in (run.folder, export.folder / "model.onnx"):
        with open_subject(path, "onnxruntime") as subject:
            known = subject.card.condition
            pictures = avatar_data.AvatarPictures(2, size=16, names=known.names, split="heldout")
            cases, _ = counterfactual.cases(pictures, known)
            assert {c.name for c in cases} >= {"Eyeglasses", "Smiling"}
            inputs = np.stack([normalise(pictures.picture(c.face)) for c in cases])
            outputs.append(subject.edit(inputs, np.stack([c.vector for c in cases])))
    np.testing.assert_allclose(outputs[0], outputs[1], atol=1e-4)


def test_the_preview_shows_every_attribute_of_every_set_beside_the_truth(run: Run) -> None:
    cfg = joint()
    sheet = stargan.preview(cfg, networks(cfg), cfg.train.data, count=2)
    assert sheet.columns == ["input", "Black_Hair", "Blond_Hair", "± Wearing_Hat", "± Eyeglasses", "± Smiling"]
    assert list(sheet.row_names) == ["edited", "truth"] * 2
    assert all(cell is not None for row in sheet.rows for cell in row[1:])


def domain_folders(top: Path, names: tuple[str, ...]) -> str:
    for split in ("train", "test"):
        for shade, name in enumerate(names):
            (top / split / name).mkdir(parents=True)
            for i in range(3):
                Image.new("RGB", (20, 20), (80 * shade, 20 * i, 100)).save(top / split / name / f"{i}.png")
    return f"folders:{top}"


def test_attributes_and_folders_train_export_and_show_together(tmp_path: Path) -> None:
    """Drawn faces with attributes, and folders of which a picture is in one: what neither knows of the other."""
    cfg = mix_sets()
    data = f"faces=avatars:8,moods={domain_folders(tmp_path / 'with, comma=x', EXPRESSIONS)}"
    run = Run(tmp_path / "run", "stargan", cfg, data)
    train(run, 8)
    assert len(list((run.folder / "samples").glob("*.png"))) >= 1
    metrics = (run.folder / "metrics.jsonl").read_text()
    assert "D_faces/cls" in metrics and "D_moods/cls" in metrics
    model, head = stargan.exportable(cfg, stargan.networks(cfg), data)
    label = model.golden(1)["label"]
    assert label.shape == (5, 7) and label[:2, 5:].tolist() == [[1, 0]] * 2 and label[2:, 5:].tolist() == [[0, 1]] * 3
    assert label[2:, 2:5].tolist() == np.eye(3).tolist()
    assert head.card.condition.groups == (EXPRESSIONS,) and head.card.condition.mask_slots == 0


def test_the_papers_two_data_sets_train_together(tmp_path: Path) -> None:
    """Files laid out and named as CelebA's and RaFD's, with the preset's labels; CelebA knows no expression."""
    make_celeba(tmp_path / "celeba", 10)
    (tmp_path / "rafd").mkdir()
    for person in range(1, 12):
        for shade, mood in enumerate(rafd.EXPRESSIONS):
            name = f"Rafd090_{person:02d}_Caucasian_female_{mood}_frontal.jpg"
            Image.new("RGB", (32, 48), (30 * shade, 20 * person, 90)).save(tmp_path / "rafd" / name)
    small = ["size=64", "conv_dim=2", "blocks=1", "d_conv_dim=2", "n_critic=1", "train.batch=2"]
    cfg = config.load(Config, "stargan", "joint-celeba-rafd-256", small)
    assert cfg.attributes[5:] == rafd.EXPRESSIONS and cfg.groups == (HAIR3, rafd.EXPRESSIONS)
    run = Run(tmp_path / "run", "stargan", cfg, f"celeba=celeba:{tmp_path / 'celeba'},rafd=rafd:{tmp_path / 'rafd'}")
    train(run, 4)
    sheet = stargan.preview(cfg, networks(cfg), run.data, count=1)
    assert list(sheet.columns[-8:]) == list(rafd.EXPRESSIONS) and "truth" not in sheet.row_names


def test_one_multi_class_set_trains_with_softmax(tmp_path: Path) -> None:
    cfg = msgspec.structs.replace(stargan.tiny(), attributes=EXPRESSIONS, kind="one_hot")
    data = domain_folders(tmp_path / "moods", EXPRESSIONS)
    run = Run(tmp_path / "run", "stargan", cfg, data)
    train(run, 8)
    known = condition(cfg, masked=True)
    assert known == Condition(kind="one_hot", names=EXPRESSIONS, groups=(EXPRESSIONS,), default=(1.0, 0.0, 0.0))
    assert [t.tolist() for _, t in stargan.edit_targets(cfg, torch.tensor([0.0, 1, 0]))] == np.eye(3).tolist()
    with pytest.raises(InputError, match="set kind = one_hot"):
        stargan.streams(msgspec.structs.replace(cfg, kind="attributes"), data)
    with pytest.raises(InputError, match="set kind = attributes"):
        stargan.streams(msgspec.structs.replace(cfg, attributes=FACE), "avatars:4")
    with pytest.raises(InputError, match="at least two"):
        stargan.streams(cfg, domain_folders(tmp_path / "lonely", ("angry",)))


def test_a_joint_card_tells_one_pass_for_each_set_with_a_change() -> None:
    known = condition(mix_sets(), masked=True)
    own = {"Eyeglasses": 1.0, "Smiling": 0.0, "angry": 0.0, "happy": 0.0, "sad": 1.0}
    assert known.vectors(own, {"Smiling": 1}) == [[1, 1, 0, 0, 0, 1, 0]]
    assert known.vectors(own, {"happy": 1}) == [[0, 0, 0, 1, 0, 0, 1]]
    assert known.vectors(own, {"happy": 1, "Eyeglasses": 0}) == [[0, 0, 0, 0, 0, 1, 0], [0, 0, 0, 1, 0, 0, 1]]
    assert known.vectors(own, {}) == []
    alone = Condition(kind="binary", names=FACE, default=(0.0, 0.0))
    assert alone.vectors({"Smiling": 1.0}, {}) == [[0, 1]], "a model of one set always takes one pass"


def test_a_card_whose_sets_are_not_its_names_is_refused(export: Exported, tmp_path: Path) -> None:
    from edgegan.runtime.model.artefact import load

    card = load(export.folder / "model.onnx").card
    copy = tmp_path / "model.onnx"
    copy.write_bytes((export.folder / "model.onnx").read_bytes())
    wrong = msgspec.structs.replace(card.condition, sets=(HEAD,), mask_slots=1)
    msgspec.structs.replace(card, condition=wrong).write(copy)
    with pytest.raises(CardError, match="label sets"):
        load(copy)
