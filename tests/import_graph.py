"""What modules of ours import: read from their source, without running it."""

import ast
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import accumulate
from pathlib import Path


def reached(root: Path, mains: Iterable[str]) -> tuple[set[str], set[str]]:
    """Return the modules of ours and those of others that programs import, directly or through modules of ours."""
    todo, ours, theirs = set(mains), set[str](), set[str]()
    while todo:
        module = todo.pop()
        if module.split(".")[0] in sys.stdlib_module_names:
            continue
        if not (root / module.split(".")[0] / "__init__.py").exists():
            theirs.add(module)
            continue
        for each in set(accumulate(module.split("."), "{}.{}".format)) - ours:
            ours.add(each)
            todo |= imports(root, each)
    return ours, theirs


@cache
def imports(root: Path, module: str) -> frozenset[str]:
    """Return what one module of ours imports; the names that it takes from another of ours may be modules too."""
    return frozenset(imported(root, module))


def imported(root: Path, module: str) -> Iterator[str]:
    """Yield each name that its statements tell."""
    for node in executed(parsed(root, module)):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if (root / node.module.split(".")[0] / "__init__.py").exists():
                yield from (f"{node.module}.{each.name}" for each in node.names)


def parsed(root: Path, module: str) -> ast.Module:
    """Return the source of a module of ours; of others nothing."""
    file = file_of(root, module)
    return ast.parse(file.read_text(encoding="utf-8") if file else "")


@cache
def file_of(root: Path, module: str) -> Path | None:
    """Return the file of a module of ours; None of others."""
    place = root / module.replace(".", "/")
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)


def executed(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes below one, but for what is there for the type checker alone."""
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield child
            yield from executed(child)
