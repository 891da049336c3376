"""`edgegan data label`: answers are on disk when they are given, and the page asks no other machine."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
from support.faces.photographs import GEOMETRY, draw_portrait
from support.needed import needed

from edgegan.data._faces.labelling import Labelling
from edgegan.data._files.tables import UNKNOWN, Table, read_table, write_table
from edgegan.runtime.errors import InputError

needed("starlette", "web")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / "images" / name), draw_portrait()[0])
    values = np.array([[1, 0, UNKNOWN], [UNKNOWN] * 3], np.int8)
    names = ("Black_Hair", "Brown_Hair", "Smiling")
    write_table(
        tmp_path / "labels.csv", Table(names, ("a.png", "b.png"), values, ("train", "heldout"), {"skin": ("light", "")})
    )
    (tmp_path / "faces.json").write_bytes(msgspec.json.encode(GEOMETRY))
    return tmp_path


def test_an_answer_is_on_disk_and_a_hair_colour_turns_the_others_off(folder: Path) -> None:
    labelling = Labelling(folder, ["Black_Hair", "Brown_Hair", "Eyeglasses"])
    assert labelling.group == ("Black_Hair", "Brown_Hair")
    assert labelling.overview().values == [[1, 0, None], [None, None, None]]
    assert labelling.answer(0, {"Brown_Hair": 1, "Eyeglasses": 0}) == [0, 1, 0]
    table = read_table(folder / "labels.csv")
    assert table.names == ("Black_Hair", "Brown_Hair", "Smiling", "Eyeglasses")
    assert table.values.tolist() == [[0, 1, UNKNOWN, 0], [UNKNOWN] * 4]
    assert (table.splits, table.notes) == (("train", "heldout"), {"skin": ("light", "")})
    assert labelling.answer(0, {"Eyeglasses": None}) == [0, 1, None]


@pytest.mark.parametrize(
    ("attributes", "words"), [(["a,b"], "not a name"), (["skin"], "not a name"), ([""], "not a name")]
)
def test_a_name_that_cannot_be_a_column_is_refused(folder: Path, attributes: list[str], words: str) -> None:
    before = (folder / "labels.csv").read_bytes()
    with pytest.raises(InputError, match=words):
        Labelling(folder, attributes)
    assert (folder / "labels.csv").read_bytes() == before


def test_a_set_without_attributes_asks_for_some(folder: Path) -> None:
    write_table(folder / "labels.csv", Table((), ("a.png",), np.empty((1, 0), np.int8)))
    with pytest.raises(InputError, match="--attributes"):
        Labelling(folder, [])
    with pytest.raises(InputError, match="edgegan data faces"):
        Labelling(folder / "images", ["Smiling"])


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The command's page; after it, the command was interrupted and has said how much is left."""
    command = [sys.executable, "-m", "edgegan", "data", "label", str(folder), "--attributes", "Smiling"]
    with subprocess.Popen(
        [*command, "--port", "0", "--no-browser"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield next(word for word in line.split() if word.startswith("http"))
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0 and "Traceback" not in err and "unknown answers left" in out, (out, err)


def ask(url: str, data: bytes | None = None, host: str = "") -> tuple[int, bytes]:
    request = urllib.request.Request(url, data, {"Host": host} if host else {}, method="PUT" if data else "GET")
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_the_page_its_requests_and_its_end(folder: Path) -> None:
    with serving(folder) as url:
        page = ask(url)[1].decode()
        assert "Label faces" in page and "//" not in page.replace("<!doctype html>", "")  # nothing from elsewhere
        assert msgspec.json.decode(ask(f"{url}/set")[1])["values"] == [[None], [None]]
        assert ask(f"{url}/pictures/1") == (200, (folder / "images" / "b.png").read_bytes())
        assert ask(f"{url}/labels/1", b'{"Smiling": 1}') == (200, b"[1]")
        assert read_table(folder / "labels.csv").values[1].tolist() == [UNKNOWN, UNKNOWN, 1]
        for status, words in (
            ask(f"{url}/labels/1", b'{"Smiling": "x"}'),
            ask(f"{url}/labels/1", b'{"Nothing": 1}'),
            ask(f"{url}/labels/7", b'{"Smiling": 1}'),
            ask(f"{url}/labels/1", b"{" + b" " * 70_000),
            ask(f"{url}/pictures/9"),
            ask(f"{url}/set", host="elsewhere.example"),
            ask(f"{url}/set", host="["),
        ):
            assert status == 400 and words
        assert read_table(folder / "labels.csv").values[1].tolist() == [UNKNOWN, UNKNOWN, 1]
