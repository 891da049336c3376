"""Models, cards and exports that tests make."""
