"""A hook of MkDocs: what pages link to outside docs/ becomes part of the site, so that one link serves both.

Pages name files of the repository as the repository's own viewer wants it, such as `../benchmarks/README.md`. Such a
file, and what it links to in turn, is added to the site below `repository/`, and the link is written anew. A link to a
folder has no page to show; its words stay, as plain text.
"""

from __future__ import annotations

import os.path
import re
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.structure.files import File, Files, InclusionLevel

ROOT = Path(__file__).resolve().parents[2]
DOCS, ADDED = "docs", "repository"
_FENCED = re.compile(r"^(```.*?^```|(?: {4}|\t).*?$)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Adds every file of the repository that a page, or an added page, links to."""
    waiting = [page.src_uri for page in files.documentation_pages()]
    while waiting:
        page = waiting.pop()
        text = (ROOT / repository_path(page)).read_text("utf-8")
        for _, _, target, _ in _LINK.findall(_FENCED.sub("", text)):
            found = resolve(page, target)
            if found is None or not (ROOT / found).is_file():
                continue
            uri = site_uri(found)
            if files.get_file_from_path(uri) is None:
                files.append(_site_file(uri, found, config))
                if uri.endswith(".md"):
                    waiting.append(uri)
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """The page with its links to the repository's files turned to where the site has them."""
    uri = page.file.src_uri

    def rewrite(link: re.Match[str]) -> str:
        picture, words, target, anchor = link.groups()
        found = resolve(uri, target)
        if found is None:
            return link[0]
        if (ROOT / found).is_dir():
            return words
        here = os.path.relpath(site_uri(found), PurePosixPath(uri).parent).replace(os.sep, "/")
        return f"{picture}[{words}]({here}{anchor or ''})"

    # Code is left as it is: what stands between matches of _FENCED is prose.
    parts = _FENCED.split(markdown)
    return "".join(part if number % 2 else _LINK.sub(rewrite, part) for number, part in enumerate(parts))


def resolve(page: str, target: str) -> str | None:
    """The path in the repository that a link on a page means; None for a link to elsewhere, or out of it."""
    if re.match(r"[a-z]+:", target):
        return None
    path = os.path.normpath(PurePosixPath(repository_path(page)).parent / target).replace(os.sep, "/")
    return None if path.startswith("..") else path


def repository_path(uri: str) -> str:
    """Where a page of the site lies in the repository."""
    return uri.removeprefix(f"{ADDED}/") if uri.startswith(f"{ADDED}/") else f"{DOCS}/{uri}"


def site_uri(path: str) -> str:
    """The opposite of `repository_path`."""
    return path.removeprefix(f"{DOCS}/") if path.startswith(f"{DOCS}/") else f"{ADDED}/{path}"


def _site_file(uri: str, path: str, config: Any) -> File:
    return File.generated(config, uri, abs_src_path=str(ROOT / path), inclusion=InclusionLevel.NOT_IN_NAV)
