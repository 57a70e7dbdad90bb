"""The job port: starting a program that runs to its end somewhere else."""

from typing import Protocol


class JobNotStarted(Exception):
    """The job was not started; the sentence says why and what to do."""


class JobStarter(Protocol):
    """Starts jobs by their names."""

    async def start(self, job: str) -> None:
        """Have one execution of the job begin; it runs on by itself. Raises JobNotStarted."""
