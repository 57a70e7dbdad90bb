"""A statement as Google's engine analyses it: a tree that is read where it lies, for most of it nobody asks."""

from collections.abc import Iterator
from typing import Any

from zetasql.core.local_service import ZetaSqlLocalService
from zetasql.types import AnalyzerOptions
from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2 as service


class Node:
    """A message of the engine's; what it has in common with others of its sort lies in its parents."""

    __slots__ = ("message",)

    def __init__(self, message: Any) -> None:
        self.message = message

    @property
    def kind(self) -> str:
        """The name of the sort of node, such as TableScan."""
        name: str = self.message.DESCRIPTOR.name
        return name.removeprefix("Resolved").removesuffix("Proto")

    def __getattr__(self, name: str) -> Any:
        """Return a field: a value, a node or None, or a list of these. Raises AttributeError."""
        for message in self._levels():
            if field := message.DESCRIPTOR.fields_by_name.get(name):
                return _value(message, field)
        raise AttributeError(name)

    def children(self) -> Iterator["Node"]:
        """Yield the nodes within, but for columns, which are only named."""
        for message in self._levels():
            for field, _ in message.ListFields():
                kind = field.message_type and field.message_type.name
                if kind and kind.startswith(("Resolved", "AnyResolved")) and kind != "ResolvedColumnProto":
                    value = _value(message, field) if field.name != "parent" else None
                    yield from value if isinstance(value, list) else [value] if value else []

    def _levels(self) -> Iterator[Any]:
        message = self.message
        while "parent" in message.DESCRIPTOR.fields_by_name:
            yield message
            message = message.parent
        yield message


def _value(message: Any, field: Any) -> Any:
    value = getattr(message, field.name)
    if field.message_type is None:
        return value
    if field.is_repeated:
        return [_node(each) for each in value]
    return _node(value) if message.HasField(field.name) else None


def _node(message: Any) -> Node | None:
    """Return the node that a message is, or that it holds as one of several sorts."""
    while "node" in message.DESCRIPTOR.oneofs_by_name:
        sort = message.WhichOneof("node")
        if sort is None:
            return None
        message = getattr(message, sort)
    return Node(message)


def analysed(sql: str, options: AnalyzerOptions, catalog: int) -> Any:
    """Analyse a statement on the tables of a registered catalog. Raises what the engine finds wrong with it."""
    request = service.AnalyzeRequest(sql_statement=sql, options=options.to_proto(), registered_catalog_id=catalog)
    call = ZetaSqlLocalService.get_instance().wasm_client.call_grpc_func
    answer: Any = call("ZetaSqlLocalService_Analyze", request, service.AnalyzeResponse)
    return _node(answer.resolved_statement)
