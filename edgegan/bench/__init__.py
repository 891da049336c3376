"""`edgegan bench`: how fast, how faithful, how heavy each way to run a model is, on one machine.

`session.run_benchmark` measures, `report` holds and writes what it found, `plot` draws it. This file imports
nothing: the fresh processes that are measured load it too.
"""
