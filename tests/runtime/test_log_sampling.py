"""Refusals in the log: one line a second, and none uncounted."""

from structlog.testing import capture_logs

from runtime.log_sampling import SampledWarnings


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
