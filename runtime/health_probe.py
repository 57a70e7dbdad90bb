"""`python -m runtime.health_probe SERVICE_PORT=8080/health …` ends with 0 if a program answers 200 at each place.

For the health checks of the images, which hold no other HTTP client. A place is a setting, the port where that is not
set, and a path.
"""

import os
import sys
from collections.abc import Sequence
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

TIMEOUT_S = 4.0


def fault(place: str) -> str | None:
    """Return what is wrong with the answer there; None where it is 200. No proxy is asked."""
    setting, _, otherwise = place.partition("=")
    default, slash, path = otherwise.partition("/")
    port = int(os.environ.get(setting) or default)
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", slash + path)
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        return f"{port}/{path}: {error!r}"
    finally:
        connection.close()
    return None if status == HTTPStatus.OK else f"{port}/{path}: {status}"


def main(places: Sequence[str]) -> int:
    """Return the exit code, and print what is wrong."""
    faults = [found for place in places if (found := fault(place))]
    print(*faults, sep="\n", end="")  # noqa: T201 - `docker inspect` shows it
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
