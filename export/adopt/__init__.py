"""Models made elsewhere, taken in with a card."""
