"""What a picture shows, as a vector: the networks whose features the Fréchet and kernel distances compare."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from edgegan.eval.distance import Features
from edgegan.networks.efficientnet import load_efficientnet_lite0
from edgegan.runtime.errors import InputError, MissingExtraError
from edgegan.sheet import Picture

BATCH = 32


@dataclass(frozen=True)
class Extractor:
    """A network's features, and what the distances on them are called."""

    frechet: str
    kernel: str
    network: Callable[[Tensor], Tensor]  # (N, 3, H, W) uint8, RGB -> (N, D) float32

    def __call__(self, pictures: Iterable[Picture]) -> Features:
        """(N, D) for N pictures (H, W, 3) uint8, RGB, of one size."""
        parts = []
        with torch.inference_mode():
            for batch in _batches(iter(pictures)):
                parts.append(self.network(torch.from_numpy(np.stack(batch).transpose(0, 3, 1, 2))).numpy())
        return np.concatenate(parts)


def efficientnet_lite0() -> Extractor:
    """1280 features of EfficientNet-Lite0 (ImageNet weights), which a pip package holds: nothing is downloaded.

    Pictures are scaled to 224 px (bilinear, antialiased) and to (x - 127) / 128, as the network was trained.
    Raises MissingExtraError without the `eval` extra.
    """
    net = load_efficientnet_lite0("eval").requires_grad_(False)

    def network(pictures: Tensor) -> Tensor:
        scaled = F.interpolate(pictures.float(), (224, 224), mode="bilinear", antialias=True)
        features: Tensor = net.extract_features((scaled - 127) / 128).mean((2, 3))
        return features

    return Extractor("FD-efficientnet-lite0", "KD-efficientnet-lite0", network)


def inception(weights: Path) -> Extractor:
    """2048 pool features of the Inception network that FID and KID are defined on, with the user's weights.

    `weights` is torch-fidelity's conversion of the original (weights-inception-2015-12-05-6726825d.pth).
    Raises MissingExtraError without torch-fidelity (extra `eval`), InputError if the file is missing or another.
    """
    if not weights.is_file():
        raise InputError(
            f"--inception {weights}: there is no such file",
            "weights-inception-2015-12-05-6726825d.pth, the Inception network that FID is defined on",
            "get it from torch-fidelity's release page, or leave --inception out",
        )
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except ImportError as error:
        raise MissingExtraError(error.name or "torch_fidelity", "eval") from None
    try:
        with warnings.catch_warnings(action="ignore"):
            torch.load(weights, weights_only=True)  # torch-fidelity reads any pickle: one that holds code stops here
        net: Any = FeatureExtractorInceptionV3("inception", ["2048"], feature_extractor_weights_path=str(weights))
    except (RuntimeError, pickle.UnpicklingError, EOFError, TypeError, AttributeError):
        raise InputError(
            f"--inception {weights}: not the weights of the Inception network that FID is defined on",
            "torch-fidelity's weights-inception-2015-12-05-6726825d.pth; torchvision's Inception is another network",
        ) from None

    def network(pictures: Tensor) -> Tensor:
        features: Tensor = net(pictures)[0]
        return features

    return Extractor("FID", "KID", network)


def _batches(pictures: Iterator[Picture]) -> Iterator[list[Picture]]:
    while batch := list(islice(pictures, BATCH)):
        yield batch
