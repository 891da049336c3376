"""A model as a file: its card, its golden pairs, and pixels turned into its tensors and back."""
