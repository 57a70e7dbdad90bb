"""A Pub/Sub that stores nothing: `python -m benchmarks.fake_pubsub GRPC_PORT HTTP_PORT`; over HTTP it says it is up."""

import asyncio
import sys

import grpc
from google.pubsub_v1 import PublishRequest, PublishResponse

_Request, _Response = PublishRequest.pb(), PublishResponse.pb()


async def publish(request: object, _: object) -> object:
    """Answer a request with an id for each message."""
    return _Response(message_ids=map(str, range(len(request.messages))))  # type: ignore[attr-defined]


async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say that it is up."""
    writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
    writer.close()


async def serve(grpc_port: int, http_port: int) -> None:
    """Serve until the process ends."""
    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(
        publish, request_deserializer=_Request.FromString, response_serializer=_Response.SerializeToString
    )
    handlers = grpc.method_handlers_generic_handler("google.pubsub.v1.Publisher", {"Publish": handler})
    server.add_generic_rpc_handlers((handlers,))
    server.add_insecure_port(f"127.0.0.1:{grpc_port}")
    await server.start()
    await asyncio.start_server(answer, "127.0.0.1", http_port)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(serve(*map(int, sys.argv[1:])))
