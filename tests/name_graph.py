"""Which functions and classes of ours a program can come to: its source is followed from name to name.

That is sharper than imports, for a module may be imported for one name alone. A class stands for all of its methods,
and a name that is mentioned counts as used, so this may tell more than ever runs.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.import_graph import executed, file_of, parsed

Name = tuple[str, str]  # of a module, and of what it defines
ON_IMPORT, ON_START = "", "__main__"  # stand for what runs when a module is imported, and when it is started


@dataclass(frozen=True)
class Module:
    """The statements of a module by the name that they define, and where its other names come from."""

    defined: Mapping[str, Sequence[ast.stmt]]
    imported: Mapping[str, Name]


def reached(root: Path, program: str) -> set[Name]:
    """Return what `python -m PROGRAM` can come to."""
    seen, todo = set[Name](), {(program, ON_START)}
    while todo:
        name = todo.pop()
        seen.add(name)
        todo |= (mentioned(root, *name) | {(name[0], ON_IMPORT)}) - seen
    return seen


@cache
def mentioned(root: Path, module: str, name: str) -> frozenset[Name]:
    """Return what of ours stands in a definition, by its own name or as an attribute of a module."""
    found = set[Name | None]()
    for node in nodes(root, module, name):
        if isinstance(node, ast.Name):
            found.add(origin(root, module, node.id))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            of = origin(root, module, node.value.id)
            if of and of[1] == ON_IMPORT:
                found.add(origin(root, of[0], node.attr))
    return frozenset(each for each in found if each)


@cache
def texts(root: Path, module: str, name: str) -> frozenset[str]:
    """Return the strings that stand in a definition."""
    constants = (node.value for node in nodes(root, module, name) if isinstance(node, ast.Constant))
    return frozenset(value for value in constants if isinstance(value, str))


def nodes(root: Path, module: str, name: str) -> Iterator[ast.AST]:
    """Yield all that a definition is made of."""
    for statement in read(root, module).defined.get(name, ()):
        yield from executed(statement)


def origin(root: Path, module: str, name: str) -> Name | None:
    """Return where a module's name is defined, or the module that it stands for; None if it is not of ours."""
    if name in read(root, module).defined:
        return module, name
    if name not in read(root, module).imported:
        return None
    of, theirs = read(root, module).imported[name]
    is_module = file_of(root, f"{of}.{theirs}") is not None
    return (f"{of}.{theirs}", ON_IMPORT) if is_module else origin(root, of, theirs)


@cache
def read(root: Path, module: str) -> Module:
    """Read a module; one that is not of ours is empty."""
    tree, defined = parsed(root, module), defaultdict[str, list[ast.stmt]](list)
    for statement in tree.body:
        for name in names(statement):
            defined[name].append(statement)
    imported = {
        each.asname or each.name: (node.module, each.name)
        for node in executed(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for each in node.names
    }
    return Module(dict(defined), imported)


def names(statement: ast.stmt) -> list[str]:
    """Return what a statement of a module defines."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Assign):
        return [
            node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        ]
    is_start = isinstance(statement, ast.If) and ast.unparse(statement.test) == "__name__ == '__main__'"
    return [ON_START if is_start else ON_IMPORT]
