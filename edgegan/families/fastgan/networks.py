"""FastGAN's generator (Liu et al., ICLR 2021, figures 3 and 4), with the key names of the published checkpoints.

| size | excitations, from -> to | second output |
|---|---|---|
| 1024, 512 | 4 -> 64, 8 -> 128, 16 -> 256, 32 -> 512 | 128 px |
| 256 | 4 -> 64, 8 -> 128, 16 -> 256 | 128 px |
| 128 (extension) | 4 -> 64, 8 -> 128 | 64 px |
| 64 (extension) | 4 -> 64 | 32 px |
"""

from __future__ import annotations

from torch import Tensor, nn

from .layers import Excitation, Stem, conv, up, up_noisy

# Channels of the generator's maps by their edge in pixels, at ngf = 64.
WIDTHS = {4: 1024, 8: 512, 16: 256, 32: 128, 64: 128, 128: 64, 256: 32, 512: 16, 1024: 8}
_NOISY = (8, 32, 128, 512)


class Generator(nn.Module):
    """Latents (N, nz) from N(0, 1) -> pictures (N, 3, size, size) and (N, 3, small, small).

    Both are meant for [-1, 1]. Only at 1024 px are they bounded, by tanh, as in the original: below, clip.
    """

    def __init__(self, size: int, nz: int, ngf: int, small: int) -> None:
        super().__init__()
        self.size, self.small = size, small
        width = {edge: channels * ngf // 64 for edge, channels in WIDTHS.items() if edge <= size}
        self.init = Stem(nz, width[4])

        def stage(edge: int) -> None:
            make = up_noisy if edge in _NOISY else up
            self.add_module(f"feat_{edge}", make(width[edge // 2], width[edge]))

        def excitation(edge: int) -> None:
            self.add_module(f"se_{edge}", Excitation(width[edge // 16], width[edge], edge // 16))

        # The order is that of the original, whose files may hold the average as a list without names.
        inner = [edge for edge in width if 8 <= edge <= 256]
        for edge in inner:
            stage(edge)
        for edge in inner:
            if edge >= 64:
                excitation(edge)
        self.add_module(f"to_{small}", conv(width[small], 3, 1))
        self.to_big = conv(width[size], 3, 3, padding=1)
        if size >= 512:
            stage(512)
            excitation(512)
        if size >= 1024:
            stage(1024)
        self.last: nn.Module = nn.Tanh() if size == 1024 else nn.Identity()

    def forward(self, latent: Tensor, style: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The picture and the small picture.

        With a second latent `style`, its low-resolution maps feed the excitations of the first one's pass: the
        paper's style mixing (section 4.3): layout from `latent`, colours and textures from `style`.
        """
        low = self.low(latent)
        gates = low if style is None else self.low(style)
        x, small = low[32], low[32]
        edge = 64
        while edge <= self.size:
            x = self.get_submodule(f"feat_{edge}")(x)
            if edge <= 512:
                x = self.get_submodule(f"se_{edge}")(gates[edge // 16], x)
            if edge == self.small:
                small = x
            edge *= 2
        small = self.get_submodule(f"to_{self.small}")(small)
        return self.last(self.to_big(x)), self.last(small)

    def low(self, latent: Tensor) -> dict[int, Tensor]:
        """The maps of 4 to 32 px, by their edge."""
        maps = {4: self.init(latent.flatten(1)[:, :, None, None])}
        for edge in (8, 16, 32):
            maps[edge] = self.get_submodule(f"feat_{edge}")(maps[edge // 2])
        return maps
