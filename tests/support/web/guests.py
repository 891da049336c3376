"""A visitor's own camera."""

from support.web.visitor import Visitor


def own_camera(page):
    """A visitor who shows one."""
    visitor = Visitor.at(page)
    visitor.say("camera", name="own")
    assert visitor.wait("camera")["name"] == "own"
    return visitor
