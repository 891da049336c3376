"""A page that edits pictures in the browser: a static folder with the model, with no server behind it.

`export_site` writes it. `page/` is what every such folder holds, as plain ES modules: `picture/`, `faces/`, `edit/`
and `network/` do in the browser what the modules of `edgegan.runtime` do here, and are compared with them.
"""

from __future__ import annotations

from .onnxruntime import PACKAGE
from .site import Site, export_site

__all__ = ["PACKAGE", "Site", "export_site"]
