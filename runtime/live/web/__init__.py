"""The stream in a browser: a page that this device serves, with the edited picture, sliders and statistics.

    with WebPage(controls, stats, {"model": "mine"}, address=Address("127.0.0.1", 8080)) as page:
        print(page.url)
        Stream(source, process, page.sink, stats=stats).run()

Needs the `web` extra when a page is opened, not before.
"""

from __future__ import annotations

from .access.address import Address
from .ice import IceServer, ice_server
from .limits import Limits
from .server import WebPage

__all__ = ["Address", "IceServer", "Limits", "WebPage", "ice_server"]
