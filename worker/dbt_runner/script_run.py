"""Runs a script: what comes of the tables of raw that changed, side by side where no model waits for another."""

import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from graphlib import TopologicalSorter
from threading import Condition

from backends.warehouse import WarehouseBusy
from worker.dbt_runner.port import Node
from worker.dbt_runner.script import CHANGES, MEASURES_ONLY, Model, Script
from worker.dbt_runner.statements import News, Statements


def run_script(
    script: Script, changed: Collection[str] | None, statements: Sequence[Statements], nodes: list[Node]
) -> None:
    """Run what comes of these tables of raw, as far as something that it reads is other than before.

    First what reads raw, in one transaction; then each other model in one, on all connections; then what waits for the
    end. Adds each model that ran to `nodes`. Raises WarehouseBusy with the model's name, MartMissing.
    """
    own = statements[0]
    run = _Run(changed, nodes, is_alone=own.is_alone)
    with own.at_once():
        for model in script.reads_first:
            run.build(model, own)
    _build_side_by_side(script, run, statements)
    for model in script.models:
        if model.last and model.name in run.ran:
            own.run(model.last)
    own.end()


class _Run:
    """What was found to be new so far."""

    def __init__(self, changed: Collection[str] | None, nodes: list[Node], *, is_alone: bool) -> None:
        self._changed = changed
        self._nodes = nodes
        self._is_alone = is_alone
        self._new: set[str] = set()
        self._measured: set[str] = set()  # what is new in more than labels
        self.ran: set[str] = set()

    def build(
        self, model: Model, statements: Statements, at_once: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> None:
        """Build a model if it is due; what it waits for was built. Raises WarehouseBusy, MartMissing."""
        is_measured = model.is_due(self._changed, self._measured)
        if not is_measured and (MEASURES_ONLY in model.tags or not model.is_due(self._changed, self._new)):
            return
        if model.is_view:
            news = News.ROWS if is_measured else News.LABELS
        else:
            with at_once():
                news = self._built(model, statements, is_measured=is_measured)
        if self._changed is not None and CHANGES in model.tags and model.sources and statements.is_filled(model):
            # the list says how far raw was read: what came since `changed` was told is in it, and in no later one
            self._changed = {*self._changed, *model.sources}
        if news or not self._is_alone:
            self._new.add(model.name)
        if news is News.ROWS or not self._is_alone:
            self._measured.add(model.name)

    def _built(self, model: Model, statements: Statements, *, is_measured: bool) -> News:
        began = time.perf_counter()
        try:
            news = statements.build(model, is_measured=is_measured)
        except WarehouseBusy as error:
            raise WarehouseBusy(f"{model.name}: {error}") from error
        seconds = round(time.perf_counter() - began, 4)
        self._nodes.append(Node(name=model.name, status="success", seconds=seconds))
        self.ran.add(model.name)
        return news


class _Turns:
    """Tells threads which model to build next: of those whose turn has come, the one that most others wait for."""

    def __init__(self, script: Script) -> None:
        done = {model.name for model in script.reads_first}
        self._models = {model.name: model for model in script.models if model.name not in done}
        self._followers = script.followers
        self._waiting: TopologicalSorter[str] = TopologicalSorter(
            {name: script.waits[name] - done for name in self._models}
        )
        self._waiting.prepare()
        self._ready = list(self._waiting.get_ready())
        self._is_over = not self._ready
        self._other = Condition()

    def build_all(self, run: _Run, statements: Statements) -> None:
        """Build models on one connection until none is left, or another thread's failed."""
        try:
            model = self._next()
            while model:
                run.build(model, statements, statements.at_once)
                model = self._next(model)
        except BaseException:
            with self._other:
                self._is_over = True
                self._other.notify_all()
            raise

    def _next(self, built: Model | None = None) -> Model | None:
        with self._other:
            if built:
                self._waiting.done(built.name)
                self._ready.extend(self._waiting.get_ready())
                self._is_over = self._is_over or not self._waiting.is_active()
                self._other.notify_all()
            self._other.wait_for(lambda: self._ready or self._is_over)
            if self._is_over:
                return None
            name = max(self._ready, key=self._followers.__getitem__)
            self._ready.remove(name)
            return self._models[name]


def _build_side_by_side(script: Script, run: _Run, statements: Sequence[Statements]) -> None:
    """Build what does not read raw, each model once those that it waits for were."""
    turns = _Turns(script)
    own, *others = statements
    with ThreadPoolExecutor(len(statements)) as pool:
        beside = [pool.submit(turns.build_all, run, each) for each in others]
        turns.build_all(run, own)
        for each in beside:
            each.result()
