import pytest

from edgegan.runtime.backends.tuning.turns import time_in_turns


class Machine:
    """A clock that only its calls move; each takes what `took` gives for its name and how often it was made."""

    def __init__(self, **took) -> None:
        self.now, self.took, self.made = 100.0, took, []

    def calls(self):
        def call(name):
            self.now += self.took[name](self.made.count(name))
            self.made.append(name)

        return [lambda name=name: call(name) for name in self.took]

    def times(self, seconds):
        return time_in_turns(self.calls(), seconds, lambda: self.now)


def test_the_median_counts_and_not_a_moment_when_the_machine_was_busy():
    machine = Machine(fast=lambda n: 0.5 if n == 1 else 0.010, slow=lambda n: 0.012)
    assert machine.times(0.2) == pytest.approx([10.0, 12.0])


def test_calls_take_turns_in_alternating_order():
    machine = Machine(a=lambda n: 0.01, b=lambda n: 0.011, c=lambda n: 0.012)
    machine.times(0.05)
    assert "".join(machine.made[:12]) == "abccbaabccba" and len(machine.made) == 15  # 5 rounds at the least


def test_time_ends_it_and_what_is_hopelessly_slow_is_not_called_again():
    machine = Machine(fast=lambda n: 0.01, other=lambda n: 0.015, slow=lambda n: 0.5)
    found = machine.times(1.0)
    assert found == pytest.approx([10.0, 15.0, 500.0]) and machine.made.count("slow") == 3
    assert 3.0 <= machine.now - 100.0 < 3.1  # a second each, on average


def test_a_call_that_takes_long_is_made_five_times():
    machine = Machine(a=lambda n: 9.0, b=lambda n: 8.0)
    assert machine.times(0.3) == [9000.0, 8000.0] and len(machine.made) == 10
