"""The service on this machine while a command lasts, on Google Cloud: the public one there may only publish.

The athlete's browser comes back here, to loopback, which Strava allows for every app
(https://developers.strava.com/docs/authentication/#requesting-access), and what is stored is stored in one's own name.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from athlete.supervisor import ProcessTree, Program
from service.settings import ServiceSettings


@contextmanager
def own_service(settings: ServiceSettings, address: str) -> Iterator[None]:
    """Run the service, which answers at this address. Raises ProgramFailed, OSError."""
    topic = settings.pubsub_topic or f"projects/{settings.google_cloud_project}/topics/strava-events"
    environment = {
        "LOG_LEVEL": "ERROR",
        "PUBLIC_URL": address,
        "PUBSUB_TOPIC": topic,
        "SERVICE_HOST": settings.service_host,
        "SERVICE_PORT": str(settings.service_port),
    }
    service = Program(name="service", module="service.main", environment=environment, health_url=f"{address}/health")
    tree = ProcessTree()
    with asyncio.Runner() as runner:
        try:
            runner.run(tree.start([service]))
            yield
        finally:
            runner.run(tree.stop())
