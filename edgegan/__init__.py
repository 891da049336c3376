"""edgegan: from a GAN in PyTorch to a live, checked, real-time image editor on any edge machine."""

__version__ = "0.1.0"
