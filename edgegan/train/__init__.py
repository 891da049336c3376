"""Training: the one loop and what it keeps, for every family."""
