"""Sampled log lines: few a second, and no occurrence uncounted."""

from structlog.testing import capture_logs

from runtime.log_sampling import LogSampler, SampledWarnings


def test_refusals_are_counted_between_lines() -> None:
    """The first is logged at once; a line after the second carries those that were not logged, itself included."""
    now = iter([0.0, 0.1, 0.999, 1.0, 2.5])
    warnings = SampledWarnings("it.refused", clock=lambda: next(now))
    with capture_logs() as logs:
        for number in range(5):
            warnings.warning(reason=number)
    assert [(line["event"], line["count"], line["reason"]) for line in logs] == [
        ("it.refused", 1, 0),
        ("it.refused", 3, 3),
        ("it.refused", 1, 4),
    ]


def test_the_first_lines_of_a_second_are_selected() -> None:
    """With three lines a second the others are counted, and the next second's first line stands for them too."""
    now = iter([0.0, *[0.1] * 9, 1.5])
    sampler = LogSampler(lines_per_s=3, clock=lambda: next(now))
    assert [sampler.count() for _ in range(10)] == [1, 1, 1, *[0] * 7]
    assert sampler.not_logged == 7
    assert (sampler.count(), sampler.not_logged) == (8, 0)
