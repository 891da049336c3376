"""StarGAN trained on several label sets at once (paper, section 3.3)."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console
from support.training.celeba_files import make as make_celeba
from torch import Tensor

from edgegan import config
from edgegan.config import Training
from edgegan.data import avatars as avatar_data
from edgegan.data import normalise, rafd
from edgegan.eval import counterfactual
from edgegan.eval.subject import open_subject
from edgegan.export import Exported, Request, export_run
from edgegan.families import Networks, Step, stargan
from edgegan.families.stargan import objective
from edgegan.families.stargan.config import Config
from edgegan.families.stargan.export import condition
from edgegan.families.stargan.networks import Classifier
from edgegan.families.stargan.players import Players
from edgegan.families.stargan.sets import LabelSet
from edgegan.runtime import Editor
from edgegan.runtime.drawn import avatars
from edgegan.runtime.errors import CardError, InputError
from edgegan.runtime.model.card import Condition
from edgegan.train.folder.run import Run
from edgegan.train.loop import Budget, Trainer
from edgegan.train.reporter import Reporter

HEAD, FACE = ("Black_Hair", "Blond_Hair", "Wearing_Hat"), ("Eyeglasses", "Smiling")
EXPRESSIONS = ("angry", "happy", "sad")
HAIR3 = ("Black_Hair", "Blond_Hair", "Brown_Hair")


def joint(**changes: object) -> Config:
    """Two sets of drawn faces that share neither labels nor people."""
    sets = (
        LabelSet(name="head", data="avatars:12@1", attributes=HEAD),
        LabelSet(name="face", data="avatars:10@2", attributes=FACE),
    )
    kept = {"domain": "drawn faces", "train": Training(batch=4, images=64, sample_images=64, checkpoint_images=64)}
    small = {"size": 16, "conv_dim": 4, "blocks": 1, "d_conv_dim": 4, "d_layers": 3, "n_critic": 2, "flip": False}
    return config.build(Config, msgspec.to_builtins({**kept, **small, "sets": sets, **changes}))


def mix_sets() -> Config:
    """Attributes and expressions."""
    sets = (LabelSet(name="faces", attributes=FACE), LabelSet(name="moods", kind="one_hot", attributes=EXPRESSIONS))
    return joint(sets=sets)


def one_step(cfg: Config, labels: dict[str, Tensor]) -> Step:
    generator = torch.Generator().manual_seed(0)
    pictures = {name: torch.randn(len(y), 3, cfg.size, cfg.size, generator=generator) for name, y in labels.items()}
    return Step({name: {"image": pictures[name], "label": y} for name, y in labels.items()}, first_image=8, seed=0)


def gradients(loss: Tensor, net: torch.nn.Module) -> dict[str, Tensor]:
    net.zero_grad()
    torch.autograd.backward(loss)
    return {name: p.grad for name, p in net.named_parameters() if p.grad is not None}


def networks(cfg: Config) -> Networks:
    torch.manual_seed(0)
    return stargan.networks(cfg)


def test_the_paper_joint_model_has_the_papers_layout() -> None:
    """[5 CelebA attributes | 8 RaFD expressions | 2 mask entries] to G; all 13 labels, and no mask, in D."""
    cfg = config.load(Config, "stargan", "joint-celeba-rafd-256")
    with torch.device("meta"):
        nets = stargan.networks(cfg)
    counts = {name: sum(p.numel() for p in net.parameters()) for name, net in nets.items()}
    assert counts == {"generator": 8_461_888, "discriminator": 45_147_072}
    assert cfg.label_width == 15 and len(cfg.attributes) == 13
    celeba, rafd = cfg.slots
    every = torch.arange(1.0, 14.0)
    assert celeba.condition(every).tolist() == [1, 2, 3, 4, 5] + [0] * 8 + [1, 0]
    assert rafd.condition(every).tolist() == [0] * 5 + [6, 7, 8, 9, 10, 11, 12, 13] + [0, 1]


def test_the_generator_is_told_what_the_discriminator_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    cfg = joint()
    nets = networks(cfg)
    g, d = nets["generator"], nets["discriminator"]
    seen: list[Tensor] = []
    g.main.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0][:, 3:, 0, 0]))  # type: ignore[union-attr]
    widths: set[int] = set()
    d.main.register_forward_pre_hook(lambda _, inputs: widths.add(inputs[0].shape[1]))  # type: ignore[union-attr]
    step = one_step(cfg, {"head": torch.eye(3).repeat(2, 1), "face": torch.ones(4, 2)})
    for slot, mask in zip(cfg.slots, ([1.0, 0.0], [0.0, 1.0]), strict=True):
        seen.clear()
        objective.g_loss(cfg, Players.of(nets), step, slot)
        assert len(seen) == 2  # there and back
        for vector in seen:
            assert vector.shape[1] == 3 + 2 + 2
            assert (vector[:, 5:] == torch.tensor(mask)).all()
            foreign = torch.ones(5, dtype=torch.bool)
            foreign[slot.here] = False
            assert not vector[:, :5][:, foreign].any()
            assert vector[:, :5][:, slot.here].any()
    assert widths == {3}, "the discriminator sees pictures alone"


@pytest.mark.parametrize("kind", ["attributes", "one_hot"])
def test_only_the_labels_a_set_knows_are_classified(kind: str) -> None:
    cfg = mix_sets()
    slot = next(s for s in cfg.slots if s.set.kind == kind)
    d = networks(cfg)["discriminator"]
    labels = {"faces": torch.ones(4, 2), "moods": torch.eye(3)[[0, 1, 2, 2]]}
    step = one_step(cfg, labels)
    real = slot.batch(step)
    assert torch.equal(real["label"][:, slot.here], labels[slot.set.name])
    loss = objective.classification(cfg, slot, d(real["image"])[1], real["label"])
    head = gradients(loss, d)["conv2.weight"].flatten(1).abs().sum(1)
    known = torch.zeros(5, dtype=torch.bool)
    known[slot.here] = True
    assert (head[known] > 0).all() and not head[~known].any()


def test_attributes_are_binary_and_classes_softmax() -> None:
    """Indifferent logits: ln 2 for each attribute, ln N for one of N classes."""
    cfg = mix_sets()
    faces, moods = cfg.slots
    step = one_step(cfg, {"faces": torch.tensor([[1.0, 0.0]]), "moods": torch.tensor([[0.0, 1.0, 0.0]])})
    logits = torch.zeros(1, 5)
    for slot, expected in ((faces, 2 * np.log(2)), (moods, np.log(3))):
        loss = objective.classification(cfg, slot, logits, slot.batch(step)["label"])
        assert loss.item() == pytest.approx(expected, rel=1e-6)


def test_the_class_heads_probabilities_are_those_of_their_kind() -> None:
    cfg = mix_sets()
    d = networks(cfg)["discriminator"]
    x = torch.randn(3, 3, 16, 16)
    with torch.no_grad():
        logits, found = d(x)[1], Classifier(d, cfg.one_hot_places)(x)
    torch.testing.assert_close(found[:, :2], torch.sigmoid(logits[:, :2]))
    torch.testing.assert_close(found[:, 2:], torch.softmax(logits[:, 2:], 1))


def test_targets_stay_within_the_set() -> None:
    cfg = joint(targets="single")
    head, face = cfg.slots
    own = torch.tensor([[1.0, 0, 0]]).repeat(60, 1)
    step = one_step(cfg, {"head": own, "face": torch.ones(60, 2)})
    target = objective.target_labels(cfg, step, head)
    assert not target[:, 3:].any() and torch.equal(target[:, :2].sum(1), torch.ones(60))
    changed = objective.target_labels(cfg, step, face) != face.batch(step)["label"]
    assert not changed[:, :3].any() and torch.equal(changed[:, 3:].sum(1), torch.ones(60))


def test_every_round_takes_a_step_with_each_set_and_shares_the_optimisers() -> None:
    cfg = joint(adversarial="hinge-r1")
    phases = stargan.phases(cfg, networks(cfg))
    assert [p.name for p in phases] == ["D_head", "R1_head", "G_head", "D_face", "R1_face", "G_face"]
    assert len({id(p.optimiser) for p in phases}) == 2
    alone = stargan.phases(stargan.tiny(), stargan.networks(stargan.tiny()))
    assert [p.name for p in alone] == ["D", "G"]


def test_the_sets_share_no_face() -> None:
    streams = stargan.streams(joint(), joint().train.data)
    assert list(streams) == ["head", "face"] and [len(s) for s in streams.values()] == [12, 10]
    first, second = (
        {f.seed for f in avatar_data.open_data(place, size=16, names=(), split="train")._faces}
        for place in ("12@1", "12@2")
    )
    assert not first & second and len(first | second) == 24
    one, two = (avatar_data.open_data(p, size=16, names=(), split="heldout") for p in ("12@2", "12"))
    assert np.array_equal(one.picture(0), two.picture(0))  # held-out faces are the same for all


def train(run: Run, images: int, *, resume: bool = False) -> None:
    run.folder.mkdir(parents=True, exist_ok=True)
    run.write_config()
    trainer = Trainer(run, torch.device("cpu"))
    if resume:
        trainer.restore(run.latest())
    with Reporter(run, images, trainer.images, Console(quiet=True)) as reporter:
        trainer.train(Budget(images), reporter)


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


@pytest.mark.parametrize(
    "changes,words",
    [
        ({"sets": (LabelSet(name="a", attributes=HEAD), LabelSet(name="b", attributes=HEAD))}, "in one set only"),
        ({"sets": (LabelSet(name="a", attributes=HEAD), LabelSet(name="a", attributes=FACE))}, "a name of its own"),
        ({"sets": (LabelSet(name="a b", attributes=HEAD), LabelSet(name="c", attributes=FACE))}, "a name of its own"),
        ({"attributes": ("Male", "Young")}, "each of the sets only"),
        ({"kind": "one_hot"}, "in each of the sets"),
        ({"sets": (LabelSet(name="a", attributes=HEAD), LabelSet(name="b", kind="one_hot", attributes=("x",)))}, "two"),
        ({"sets": (LabelSet(name="a", attributes=HEAD), LabelSet(name="b", attributes=()))}, "at least two domains"),
        ({"balance": ("Male",)}, "the attributes are: Black_Hair"),
        (
            {
                "sets": (LabelSet(name="a", attributes=FACE), LabelSet(name="b", kind="one_hot", attributes=HEAD)),
                "hides": {"Smiling": ("Black_Hair",)},
            },
            "always seen",
        ),
    ],
)
def test_sets_that_cannot_train_together_are_refused_in_words(changes: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        joint(**changes)


@pytest.mark.parametrize(
    "data,words",
    [
        ("avatars:8", "names none of the data sets head, face"),
        ("head=avatars:8,hair=avatars:8", "names none of the data sets"),
        ("head=avatars:8,head=avatars:9", "named twice"),
        ("head=", "names none"),
        ("head=avatars:8@0", "not a part"),
        ("head=avatars:@2", "not a part"),
    ],
)
def test_data_that_names_the_sets_wrongly_is_refused_in_words(data: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        stargan.streams(joint(), data)


def test_a_set_without_pictures_is_named() -> None:
    with pytest.raises(InputError, match="no pictures are named for moods"):
        stargan.streams(mix_sets(), "faces=avatars:8")


def test_the_resolved_config_tells_all_attributes_and_where_the_pictures_are() -> None:
    cfg = config.load(Config, "stargan", "avatars-joint-64")
    assert cfg.attributes == ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair", "Wearing_Hat") + (
        "Eyeglasses",
        "Goatee",
        "Smiling",
    )
    assert cfg.groups == (avatars.HAIR,)
    assert cfg.train.data == "head=avatars:4000@1,face=avatars:4000@2"
    assert config.build(Config, msgspec.to_builtins(cfg)) == cfg
    assert config.with_settings(cfg, ["train.batch=4"]).sets == cfg.sets
