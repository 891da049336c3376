"""The documentation as a site: built strictly, with the interface's signatures and the repository's own files in it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from support.pages import ROOT, documentation

pytestmark = pytest.mark.skipif(
    not (find_spec("material") and find_spec("mkdocstrings")),
    reason="needs the docs extra: pip install 'edgegan[docs]'",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, env={**os.environ, "CI": "1"})
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def test_every_page_is_built_and_every_picture_is_in_it(site: Path) -> None:
    for page in documentation()[1:]:
        built = site / page.path.relative_to(ROOT / "docs").with_suffix(".html")
        pictures = [link for link in re.findall(r'<img[^>]*src="([^"]+)"', built.read_text()) if ":" not in link]
        assert all((built.parent / picture).is_file() for picture in pictures), page.name


def test_every_link_of_every_page_leads_to_a_file_of_the_site(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    dead = []
    for page in pages:
        for link in re.findall(r'(?:href|src)="([^"#?]+)[^"]*"', page.read_text()):
            if page.name != "404.html" and ":" not in link and not (page.parent / link).exists():
                dead.append(f"{page.relative_to(site)}: {link}")
    assert dead == []


def test_files_of_the_repository_that_pages_name_are_in_the_site(site: Path) -> None:
    assert 'href="repository/benchmarks/index.html"' in (site / "benchmarks.html").read_text()
    assert (site / "repository" / "examples" / "plain_loop.py").read_text().startswith('"""')
    assert "Architecture" in (site / "repository" / "ARCHITECTURE.html").read_text()


def test_the_interface_is_shown_with_its_arguments(site: Path) -> None:
    shown = re.sub(r"<[^>]+>", "", (site / "python-api.html").read_text())
    for words in ("allow_fallback", "timestamp", "Raises", "EditorPool"):
        assert words in shown


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    page = (site / "index.html").read_text()
    assert not re.findall(r'<(?:script|img)[^>]*src="https?:|<link[^>]*rel="stylesheet"[^>]*href="https?:', page)
