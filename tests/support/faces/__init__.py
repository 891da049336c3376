"""Faces for tests: photographed, placed, moving."""
