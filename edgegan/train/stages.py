"""The stages of a run, and which pictures of a round belong to which process."""

from __future__ import annotations

from dataclasses import dataclass

from edgegan import distributed
from edgegan.families import Networks, Stage
from edgegan.runtime.errors import InputError

from .folder.run import Run


@dataclass(frozen=True)
class Slice:
    """This process's pictures of one micro-batch, by their numbers since training began."""

    first_of_all: int  # the first of the whole micro-batch, over all processes
    first: int
    count: int


class Stages:
    """The stage at any number of images: the family's, or one of `train.batch` pictures a round for the whole run.

    Raises InputError for a batch of any stage that processes and accumulation cannot share equally.
    """

    def __init__(self, run: Run) -> None:
        self._run, self._accumulate = run, run.cfg.train.accumulate
        parts = self._accumulate * distributed.world()
        for stage in self._all() if parts > 1 else ():
            if stage.batch % parts:
                where = f" in the stage {stage.name}" if stage.name else ""
                raise InputError(
                    f"a batch of {stage.batch}{where}, for {distributed.world()} processes and "
                    f"train.accumulate={self._accumulate}",
                    f"the batch is shared by all: a multiple of {parts}",
                )

    def at(self, images: int) -> Stage:
        """The stage of the round that begins after so many images."""
        of_family = self._run.family.stage
        return of_family(self._run.cfg, images) if of_family else Stage("", self._run.cfg.train.batch)

    def advance(self, nets: Networks, images: int) -> None:
        """Makes the networks what they are for the round that begins after so many images."""
        if self._run.family.advance is not None:
            self._run.family.advance(self._run.cfg, nets, images)

    def slices(self, images: int) -> list[Slice]:
        """This process's part of each micro-batch of that round."""
        batch = self.at(images).batch
        micro = batch // self._accumulate
        own = micro // distributed.world()
        starts = range(images, images + batch, micro)
        return [Slice(start, start + own * distributed.rank(), own) for start in starts]

    def _all(self) -> list[Stage]:
        if self._run.family.stage is None:
            return [self.at(0)]
        found, images = [self.at(0)], 0
        while images < self._run.cfg.train.images:
            stage = self.at(images)
            if stage != found[-1]:
                found.append(stage)
            images += stage.batch
        return found
