"""What a CUDA made of host memory hands out."""


class Event:
    """A cudaEvent_t."""

    mark = None


class Mark:
    """Where an event was recorded."""

    reached = False

    def __init__(self, stream):
        self.stream = stream


class Replay:
    """A cudaGraphExec_t."""

    def __init__(self, calls):
        self.calls = calls
