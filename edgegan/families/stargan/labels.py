"""Where a StarGAN's tensors have a place for each attribute: a model for other attributes can begin with them."""

from __future__ import annotations

# By network and tensor: the axis of the attributes, and how many entries come before them.
_PLACES = {
    "generator": {"main.0.weight": (1, 3)},
    "discriminator": {"conv2.weight": (0, 0), "classes.2.weight": (0, 0), "classes.2.bias": (0, 0)},
    "classifier": {"head.2.weight": (0, 0), "head.2.bias": (0, 0)},
}
_FILM = (".modulation.weight", (1, 0))  # of every norm of a FiLM generator
_EMBEDDING = ("embeddings.", "original", (1, 0))  # of a projected discriminator, below its spectral norm


def label_axis(network: str, key: str) -> tuple[int, int] | None:
    """The axis of the attributes in the tensor `key`, and how many other entries come first; None if it has none."""
    if network == "discriminator" and key.startswith(_EMBEDDING[0]) and key.endswith(_EMBEDDING[1]):
        return _EMBEDDING[2]
    if network == "generator" and key.endswith(_FILM[0]):
        return _FILM[1]
    return _PLACES.get(network, {}).get(key)
