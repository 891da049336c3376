"""A small generator that learns from a large one, without a discriminator: `edgegan distil`."""
