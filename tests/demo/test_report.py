"""The report is one file that needs nothing beside it, whatever its sections hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from edgegan.demo.report import Section, write_report
from edgegan.sheet import Sheet, to_picture

TEXT = "# Head\n\nWords with <tags> & signs.\n\n| a | b |\n|---|---:|\n| 1 | <2> |\n\n- one\n- two\n\n    $ code <x>\n"


def test_a_report_holds_its_media_and_escapes_its_words(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "b.mp4").write_bytes(b"not really a video")
    curve = {"loss": [(1.0, 2.0), (2.0, 1.0)]}
    write_report(tmp_path / "r.html", [Section("T & T", TEXT, ["a.png", "b.mp4"], curve)])
    page = (tmp_path / "r.html").read_text()
    assert page.count("data:image/png;base64,") == 2 and page.count("data:video/mp4;base64,") == 1
    assert "src=" in page and 'src="a.png"' not in page and "http" not in page
    for part in ("<h2>T &amp; T</h2>", "<h3>Head</h3>", "&lt;tags&gt; &amp; signs", "<th>a</th>", "<td>&lt;2&gt;</td>"):
        assert part in page, part
    assert "<li>one</li><li>two</li>" in page and "<pre>$ code &lt;x&gt;</pre>" in page
    assert "---" not in page


def test_a_sheet_places_every_picture_and_leaves_empty_cells_white(tmp_path: Path) -> None:
    red, blue = np.full((4, 6, 3), (255, 0, 0), np.uint8), np.full((4, 6, 3), (0, 0, 255), np.uint8)
    image = np.asarray(Sheet(["one", "two"], [[red, None], [None, blue]]).image(scale=2))
    assert (image == (255, 0, 0)).all(2).sum() == (image == (0, 0, 255)).all(2).sum() == 8 * 12


def test_pictures_come_back_from_the_networks_range() -> None:
    levels = np.arange(256, dtype=np.float32)
    tensor = np.tile(levels / 127.5 - 1, (3, 1, 1))
    assert (to_picture(tensor)[0, :, 0] == levels).all()
    assert to_picture(np.full((3, 1, 1), 1.7))[0, 0, 0] == 255
