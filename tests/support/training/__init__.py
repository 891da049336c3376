"""Training that takes a second, and data sets and runs as small."""
