"""Photographed faces scored: no true answers, a judge of their own."""
