"""Names requests in the log. The webhook names only those that it logs: naming all of them would cost its rate."""

import secrets


def new_request_id() -> str:
    """Return 16 random hex digits."""
    return secrets.token_hex(8)
