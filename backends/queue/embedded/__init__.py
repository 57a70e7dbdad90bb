"""The queue on this machine: a table in the pipeline's SQLite file, and the deliverer that pushes to the worker."""

from backends.queue.embedded.deliverer import Deliverer, push_client
from backends.queue.embedded.queue import EmbeddedQueue
from backends.queue.embedded.retry_policy import RedeliveryPolicy

__all__ = ["Deliverer", "EmbeddedQueue", "RedeliveryPolicy", "push_client"]
