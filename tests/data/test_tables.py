"""Label tables: ours, and those that others publish."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgegan.data._files.tables import UNKNOWN, Table, read_table, write_table
from edgegan.runtime.errors import InputError


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    table = Table(
        ("Smiling", "Eyeglasses"),
        ("a.png", "é b.png", "caf\udce9.png"),  # the last: a name in Latin-1
        np.array([[1, UNKNOWN], [0, 1], [1, 1]], np.int8),
        ("train", "heldout", "train"),
        {"skin": ("light", "dark", "light")},
    )
    write_table(tmp_path / "t.csv", table)
    found = read_table(tmp_path / "t.csv")
    assert (found.names, found.files, found.splits, found.notes) == (
        table.names, table.files, table.splits, table.notes,
    )  # fmt: skip
    assert found.values.tolist() == table.values.tolist()
    one = found.take([1])
    assert one.files == ("é b.png",) and one.splits == ("heldout",) and one.notes == {"skin": ("dark",)}


def test_kaggles_celeba_is_read(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("image_id,5_o_Clock_Shadow,Smiling\n000001.jpg,-1,1\n000002.jpg,1,-1\n")
    table = read_table(tmp_path / "t.csv")
    assert table.names == ("5_o_Clock_Shadow", "Smiling") and table.values.tolist() == [[0, 1], [1, 0]]
    assert table.splits == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("file,A,A\nx,1,1\n", "a name stands twice"),
        ("file,A\nx,1\nx,0\n", r"line 3: x stands on line 2"),
        ("file,A\nx,maybe\n", r"line 2: A is 'maybe'\n1, 0 or -1"),
        ("file,A\nx,1,0\n", r"line 2: 3 cells\n2"),
        ("file,A\n../x,1\n", "not a plain file name"),
        ("file,split,A\nx,test,1\n", r"split is 'test'\ntrain"),
        ("file,,A\nx,1,1\n", "a column has no name"),
    ],
)
def test_a_bad_table_is_refused_with_the_line_at_fault(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError, match=words):
        read_table(tmp_path / "t.csv")
    with pytest.raises(InputError, match="cannot be read"):
        read_table(tmp_path / "none.csv")
