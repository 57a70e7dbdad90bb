"""The ports that a person chose: whether they are free is found out before anything starts."""

import errno
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from athlete.errors import CommandError

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Listener:
    """Where a program is to listen, and by which option or setting another place is chosen."""

    program: str
    port: int
    chosen_by: str
    host: str = LOOPBACK
    host_chosen_by: str = ""


def require_free(listeners: Sequence[Listener]) -> None:
    """Try to listen at all these places at once; port 0 is always free. Raises CommandError."""
    with ExitStack() as held:
        for number, listener in enumerate(listeners):
            try:
                held.enter_context(_listening(listener))
            except OSError as error:
                raise CommandError(_complaint(listener, listeners[:number], error)) from error


def _listening(listener: Listener) -> socket.socket:
    """Listen as the programs will: only a port that somebody listens on is taken, not one whose talk just ended."""
    family, kind, protocol, _, address = socket.getaddrinfo(listener.host, listener.port, type=socket.SOCK_STREAM)[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen()
    except OSError:
        listening.close()
        raise
    return listening


def _complaint(listener: Listener, before: Sequence[Listener], error: OSError) -> str:
    where = f"Port {listener.port} ({listener.program})"
    twin = next((each for each in before if each.port == listener.port), None)
    if error.errno != errno.EADDRINUSE:
        choices = " or ".join(filter(None, (listener.host_chosen_by, listener.chosen_by)))
        return f"{where} of {listener.host} cannot be opened ({error.strerror}); choose another with {choices}."
    if twin:
        return f"{where} is also wanted for the {twin.program}; choose another with {listener.chosen_by}."
    return f"{where} is in use; choose another with {listener.chosen_by}."
