"""Times of several calls that take turns, so that what else the machine does meets all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median

_LEAST_ROUNDS, _MOST_ROUNDS = 5, 500
_ROUNDS_FOR_ALL = 3  # after these, what is hopelessly slow costs no more time
_HOPELESS = 2.0  # times the fastest


def time_in_turns(
    calls: Sequence[Callable[[], object]],
    seconds: float,
    clock: Callable[[], float] = time.perf_counter,
    *,
    hopeless: float = _HOPELESS,
    summary: Callable[[list[float]], float] = median,
) -> list[float]:
    """The median time of each call, or another summary of its times, in milliseconds.

    Each round makes every call once, in the opposite order of the round before. After three rounds, those that take
    more than `hopeless` times the fastest drop out. It ends when the calls have taken `seconds` on average, after 5
    rounds at the least. What a first call does more than later ones is the caller's to do before. Raises what a call
    raises.
    """
    times: list[list[float]] = [[] for _ in calls]
    going = list(range(len(calls)))
    for number in range(_MOST_ROUNDS):
        for which in going if number % 2 == 0 else reversed(going):
            began = clock()
            calls[which]()
            times[which].append(clock() - began)
        if number + 1 >= _ROUNDS_FOR_ALL:
            best = min(median(times[which]) for which in going)
            going = [which for which in going if median(times[which]) <= hopeless * best]
        spent = sum(map(sum, times))
        if number + 1 >= _LEAST_ROUNDS and spent >= seconds * len(calls):
            break
    return [1000.0 * summary(each) for each in times]
