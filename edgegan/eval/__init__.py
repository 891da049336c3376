"""Measures of trained models: does an edit land, does the rest stay, how near is the true answer."""
