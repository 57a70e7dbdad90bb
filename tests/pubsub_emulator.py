"""Google's own Pub/Sub emulator, started once in a test run that needs it, and topics on it.

It signs no pushes, counts no attempts in them (`deliveryAttempt`), ignores filters, and retries once a second.
"""

import os
import shutil
import subprocess
import threading
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import grpc
import pytest
from google.api_core.exceptions import NotFound
from google.pubsub_v1 import PublisherAsyncClient, PushConfig, SubscriberAsyncClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcAsyncIOTransport

from athlete.supervisor import free_port
from backends.queue.pubsub.queue import publisher_client

# Quick to start, and small.
JAVA_OPTIONS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m")
MISSING = (
    "no Pub/Sub emulator on this machine: to run its tests, install it (`gcloud components install pubsub-emulator`, "
    "or the packages google-cloud-cli-pubsub-emulator and default-jre-headless on Debian)"
)


def emulator_jar() -> Path | None:
    """Return the emulator's program, if gcloud's SDK has it and there is a Java."""
    gcloud = shutil.which("gcloud")
    roots = [*([Path(gcloud).resolve().parents[1]] if gcloud else []), Path("/usr/lib/google-cloud-sdk")]
    jars = [jar for root in roots for jar in root.glob("platform/pubsub-emulator/lib/cloud-pubsub-emulator-*.jar")]
    return jars[0] if jars and shutil.which("java") else None


@pytest.fixture(scope="session")
def pubsub_emulator() -> Iterator[str]:
    """Host and port of the running emulator."""
    jar = emulator_jar()
    if jar is None:
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    host = f"127.0.0.1:{free_port()}"
    command = ["java", *JAVA_OPTIONS, "-jar", str(jar), "--host=127.0.0.1", f"--port={host.partition(':')[2]}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        try:
            told = list(iter_until(process.stdout, "Server started"))
            assert "Server started" in told[-1], told
            threading.Thread(target=process.stdout.read, daemon=True).start()  # a full pipe would stop it
            yield host
        finally:
            process.kill()


def iter_until(lines: Iterator[str], wanted: str) -> Iterator[str]:
    """Yield the lines up to the one that is wanted, or all."""
    for line in lines:
        yield line
        if wanted in line:
            return


class EmulatedTopic:
    """A topic with a subscription, and a topic of dead letters with one; both only wait until they are told to push."""

    def __init__(self, host: str, max_delivery_attempts: int = 5) -> None:
        self.host = host
        self.name = f"projects/athlete-dashboard/topics/t-{uuid.uuid4().hex}"
        self._dead = f"{self.name}-dead"
        self._max_delivery_attempts = max_delivery_attempts
        self._publisher: PublisherAsyncClient = publisher_client(host)
        channel = grpc.aio.insecure_channel(host)
        self._subscriber = SubscriberAsyncClient(transport=SubscriberGrpcAsyncIOTransport(channel=channel))

    async def create(self) -> None:
        """Make topics and subscriptions."""
        for topic in (self.name, self._dead):
            await self._publisher.create_topic(name=topic)
        policy = {"dead_letter_topic": self._dead, "max_delivery_attempts": self._max_delivery_attempts}
        for topic, more in ((self.name, {"dead_letter_policy": policy}), (self._dead, {})):
            await self._subscriber.create_subscription(request={"name": subscription(topic), "topic": topic, **more})

    @asynccontextmanager
    async def pushing(self, push_url: str, dead_letter_url: str) -> AsyncIterator[None]:
        """Push to these addresses."""
        for topic, url in ((self.name, push_url), (self._dead, dead_letter_url)):
            await self._subscriber.modify_push_config(
                subscription=subscription(topic), push_config=PushConfig(push_endpoint=url)
            )
        yield
        await self.delete()

    async def delete(self) -> None:
        """Remove the subscriptions, so that nothing is pushed any more."""
        for topic in (self.name, self._dead):
            with suppress(NotFound):
                await self._subscriber.delete_subscription(subscription=subscription(topic))

    async def close(self) -> None:
        """Remove all of it."""
        await self.delete()
        await self._publisher.transport.close()
        await self._subscriber.transport.close()


def subscription(topic: str) -> str:
    """Name the subscription of a topic."""
    return topic.replace("/topics/", "/subscriptions/")
