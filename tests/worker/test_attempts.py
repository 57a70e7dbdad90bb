"""The rest of what failed: it doubles up to a day, ends with a success, and outlasts no clock that was set back."""

from datetime import timedelta
from typing import Any

from worker.attempts import Rests


def test_a_rest_doubles_up_to_a_day(clock: Any) -> None:
    """In a week of tries at the first moment an activity is asked for 13 times, and after a success from the start."""
    rests, pauses = Rests(clock), list[int]()
    began = clock()
    while clock.now - began < timedelta(days=7):
        assert rests.ready([1]) == [1]
        pauses.append(round((rests.add(1) - clock.now) / timedelta(minutes=15)))
        clock.advance(pauses[-1] * 900 - 1)
        assert rests.ready([1]) == []
        clock.advance(2)
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 96, 96, 96, 96, 96, 96]
    rests.end(1)
    assert (rests.is_empty, rests.ready([1]), rests.ends([1])) == (True, [1], [])
    assert rests.add(1) - clock.now == timedelta(minutes=15)


def test_what_failed_comes_after_all_others_and_a_set_clock_ends_its_rest(clock: Any) -> None:
    """The order is kept otherwise; a rest that is longer than any is over."""
    rests = Rests(clock)
    first, second = rests.add(3), rests.add(1)
    assert rests.ready([3, 2, 1]) == [2]
    assert rests.ends([1, 2, 3]) == [first, second]
    clock.advance(901)
    assert rests.ready([3, 2, 1]) == [2, 3, 1]
    rests.add(3)
    clock.set(-86_400 * 2)
    assert rests.ready([3, 2]) == [2, 3]
