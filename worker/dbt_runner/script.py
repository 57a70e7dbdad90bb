"""The models of a refresh with the statements that dbt wrote for them once, and which waits for which."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

EVERY_RUN = "every_run"  # dbt's tag of models and sources that no watermark tells of
CHANGES = "changes"  # dbt's tag of models that list what changed
MEASURES_ONLY = "measures_only"  # dbt's tag of models that read no label of an activity, as the macro `labels` has them
_NAMED = re.compile(r'(?:\b(?:staging|mart)"?\."?|<<(?:changed|part):)(\w+)')
_RAW = re.compile(r"\braw\"?\.|'raw'")


@dataclass(frozen=True, kw_only=True, slots=True)
class Replaced:
    """The rows of a table that a model makes again: those where a condition holds, by a query.

    Of its columns some are `labels`, which models with the tag `measures_only` do not read.
    """

    table: str
    where: str
    rows: str
    labels: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """One model: whose rows it is made of, which `lists` of what changed it reads, and its statements; a view has none.

    Where there is a `table`, the statements make another beside it, which takes its place if it differs. What is
    `replaced` comes before them, and `last` waits until every model is built.
    """

    name: str
    parents: list[str]
    lists: list[str]
    sources: list[str]
    tags: list[str]
    statements: list[str]
    table: str | None = None
    replaced: Replaced | None = None
    last: str | None = None

    @property
    def is_view(self) -> bool:
        """Whether there is nothing to build."""
        return not (self.statements or self.replaced)

    @property
    def reads_raw(self) -> bool:
        """Whether it reads `raw`."""
        return bool(self.sources or _RAW.search(self._text))

    @property
    def named(self) -> frozenset[str]:
        """The models that it reads, and those that its statements name besides."""
        return frozenset({*self.parents, *self.lists, *_NAMED.findall(self._text)})

    def is_due(self, changed: Collection[str] | None, new: Collection[str]) -> bool:
        """Whether it comes of these tables of raw, all where None, or reads one of these models."""
        is_first = changed is None or EVERY_RUN in self.tags or not set(self.sources).isdisjoint(changed)
        return is_first or not set(self.parents).isdisjoint(new)

    @property
    def _text(self) -> str:
        replaced = self.replaced
        rows = [replaced.table, replaced.where, replaced.rows] if replaced else []
        return " ".join([*self.statements, *rows])


@dataclass(frozen=True)
class Script:
    """All models, each after those that it reads."""

    models: list[Model]

    @cached_property
    def waits(self) -> Mapping[str, frozenset[str]]:
        """For each model the earlier ones that it waits for: what it reads, and what reads it as it was before.

        A view stands for the tables that it is made of.
        """
        made_of = _made_of(self.models)
        touched = {
            model.name: frozenset[str]().union(*(made_of.get(each, frozenset()) for each in model.named))
            for model in self.models
        }
        waits: dict[str, frozenset[str]] = {}
        for model in self.models:
            name = model.name
            waits[name] = frozenset(each for each in waits if each in touched[name] or name in touched[each])
        return waits

    @cached_property
    def followers(self) -> Mapping[str, int]:
        """For each model how many others wait for it, be it for what waits for it."""
        followers: dict[str, set[str]] = {model.name: set() for model in self.models}
        for model in reversed(self.models):
            for each in self.waits[model.name]:
                followers[each] |= {model.name, *followers[model.name]}
        return {name: len(each) for name, each in followers.items()}

    @cached_property
    def reads_first(self) -> list[Model]:
        """The models that read `raw`, also by a view, and those that they wait for."""
        raw: set[str] = set()  # also views of raw
        for model in self.models:
            if model.reads_raw or any(self._models[each].is_view for each in raw & model.named):
                raw.add(model.name)
        first: set[str] = set()
        for model in reversed(self.models):
            if model.name in first or model.name in raw:
                first |= {model.name, *self.waits[model.name]}
        return [model for model in self.models if model.name in first]

    @cached_property
    def _models(self) -> Mapping[str, Model]:
        return {model.name: model for model in self.models}

    @classmethod
    def from_json(cls, text: str) -> "Script":
        """Read what `json` wrote. Raises ValueError, TypeError."""
        return cls([_model(**each) for each in json.loads(text)])

    def json(self) -> str:
        """Return it as text."""
        return json.dumps([asdict(model) for model in self.models])


def _made_of(models: Sequence[Model]) -> Mapping[str, frozenset[str]]:
    """Return each model's own name, and for a view also the names of what it is made of."""
    made_of: dict[str, frozenset[str]] = {}
    for model in models:
        below = (made_of.get(each, frozenset()) for each in model.named) if model.is_view else ()
        made_of[model.name] = frozenset({model.name}).union(*below)
    return made_of


def _model(*, replaced: Mapping[str, Any] | None, **told: Any) -> Model:
    return Model(replaced=Replaced(**replaced) if replaced else None, **told)
