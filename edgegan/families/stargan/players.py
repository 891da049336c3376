"""The networks of one StarGAN by what they do, whichever of them a configuration has."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from edgegan.families import Networks
from edgegan.networks.projected import ProjectedDiscriminator

from .classifier import AttributeClassifier
from .film import FilmGenerator
from .networks import Discriminator, Generator

AnyGenerator = Generator | FilmGenerator
AnyDiscriminator = Discriminator | ProjectedDiscriminator


@dataclass(frozen=True)
class Players:
    """A generator, a discriminator, and, where it is no part of the discriminator, a classifier."""

    g: AnyGenerator
    d: AnyDiscriminator
    c: AttributeClassifier | None

    @classmethod
    def of(cls, nets: Networks) -> Players:
        """Those of a family's networks."""
        g, d, c = nets["generator"], nets["discriminator"], nets.get("classifier")
        assert isinstance(g, AnyGenerator) and isinstance(d, AnyDiscriminator)
        assert c is None or isinstance(c, AttributeClassifier)
        return cls(g, d, c)

    def judge(self, image: Tensor, label: Tensor) -> tuple[list[Tensor], Tensor | None]:
        """Score maps of pictures, at each of D's heads, and D's class logits (N, C) where it has any.

        A projected discriminator judges pictures among those of their `label` (N, C).
        """
        if isinstance(self.d, ProjectedDiscriminator):
            return self.d(image, label)  # type: ignore[no-any-return]
        score, logits = self.d(image)
        return [score], logits

    def classify(self, image: Tensor) -> Tensor:
        """Class logits (N, C)."""
        if self.c is not None:
            logits: Tensor = self.c.eval()(image)
            return logits
        found: Tensor | None = self.d(image)[1]
        assert found is not None
        return found
