"""The folder of a run on disk: its files, checkpoints, lock and event files."""
