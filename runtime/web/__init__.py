"""The stream in a browser: a page that this device serves, with the edited picture, sliders and statistics.

    with WebPage(controls, stats, {"model": "mine"}, place=Place("127.0.0.1", 8080)) as page:
        print(page.url)
        Stream(source, process, page, stats=stats).run()

Needs the `web` extra when a page is opened, not before.
"""

from __future__ import annotations

from .place import Place
from .server import WebPage
from .visitors import Limits

__all__ = ["Limits", "Place", "WebPage"]
