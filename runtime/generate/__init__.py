"""Pictures made from latents."""
