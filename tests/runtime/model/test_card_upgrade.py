"""Cards of schema 1, as exports wrote them before schema 2: they load, and say what they said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgegan.runtime.errors import CardError
from edgegan.runtime.model import fidelity
from edgegan.runtime.model.build_info import BuildInfo
from edgegan.runtime.model.card import SCHEMA, ModelCard

CARDS = Path(__file__).parent / "schema_1"


def upgrade(name: str) -> ModelCard:
    return ModelCard.from_json((CARDS / f"{name}.json").read_bytes())


@pytest.mark.parametrize("path", sorted(CARDS.glob("*.json")), ids=lambda path: path.stem)
def test_every_card_of_schema_1_loads_and_keeps_all_that_did_not_change(path: Path) -> None:
    old = json.loads(path.read_bytes())
    card = ModelCard.from_json(path.read_bytes())
    new = json.loads(card.to_json())
    assert old["schema"] == 1 and card.schema == SCHEMA == 2
    same = set(old) - {"schema", "built_with", "verification"}
    for key in same:  # a part may have gained fields since, at their defaults
        now, then = new[key], old[key]
        assert ({k: now[k] for k in then} if key == "condition" else now) == then, key
    for name, figures in old["verification"].items():
        assert new["verification"][name] | figures == new["verification"][name]
    assert ModelCard.from_json(card.to_json()) == card
    assert card.built_with.system == "Linux x86_64"
    assert card.built_with.versions["torch"] == old["built_with"]["torch"]
    assert all("," not in word and "%" not in word for word in card.built_with.versions.values())


def test_the_shipped_model_s_card_says_what_it_said() -> None:
    card = upgrade("shipped")
    assert card.verification["openvino"].pictures == 512 and card.tolerances["openvino"]["max_abs"] == 1e-3
    assert fidelity.tolerance(card, "onnxruntime:cuda") == {"max_abs": 1e-3, "min_psnr_db": 80.0}
    assert set(card.built_with.versions) == {"edgegan", "python", "torch", "onnx", "onnxscript", "onnxslim"}


def test_joined_words_become_lists_and_numbers() -> None:
    half = upgrade("fp16").built_with
    assert half.half_weights == 1.0 and half.half_operators == (26, 26) and half.fp32_nodes == ()
    int8 = upgrade("int8")
    assert int8.int8_arithmetic == "x86_64 vnni" and int8.built_with.float_layers == ()
    data = json.loads((CARDS / "int8.json").read_bytes())
    data["built_with"] |= {"float_layers": "Conv_1,Conv_2", "fp32_nodes": "Norm_3"}
    facts = ModelCard.from_json(json.dumps(data)).built_with
    assert facts.float_layers == ("Conv_1", "Conv_2") and facts.fp32_nodes == ("Norm_3",)


def test_engines_keep_what_loading_compares() -> None:
    engine = upgrade("int8_engine").built_with.engine
    assert engine is not None and (engine.library, engine.version) == ("tensorrt_rtx", "1.7.1.116")
    assert engine.compute_capabilities == ("7.5", "8.0", "8.6", "8.9", "12.0")
    assert (engine.half_layers, engine.int8_layers) == (23, 8) and not engine.version_compatible
    profile = upgrade("open_engine").built_with.engine.profile  # type: ignore[union-attr]
    assert profile["image"] == ((1, 3, 16, 16), (1, 3, 16, 16), (16, 3, 16, 16)) and profile["label"][2] == (16, 4)
    data = json.loads((CARDS / "int8_engine.json").read_bytes())
    data["built_with"] |= {"version_compatible": "true", "workspace_mib": "512", "gpu": "a GPU", "driver": "580.1"}
    engine = ModelCard.from_json(json.dumps(data)).built_with.engine
    assert engine is not None and engine.version_compatible and engine.workspace_mib == 512
    assert (engine.gpu, engine.driver) == ("a GPU", "580.1")


@pytest.mark.parametrize("facts", [{"half_operators": "many"}, {"half_weights": "x%"}, {"os": 1}, ["os"]])
def test_facts_that_cannot_be_read_are_refused_in_words(facts: object) -> None:
    data = {**json.loads((CARDS / "fp16.json").read_bytes()), "built_with": facts}
    with pytest.raises(CardError, match="not a readable model card"):
        ModelCard.from_json(json.dumps(data))


def test_facts_of_today_hold_no_unknown_words() -> None:
    data = {**json.loads(upgrade("fp16").to_json()), "built_with": {"torch": "2.14"}}
    with pytest.raises(CardError, match="torch"):
        ModelCard.from_json(json.dumps(data))
    assert json.loads(upgrade("fp16").to_json())["built_with"] != {}
    assert BuildInfo() == BuildInfo(versions={})
