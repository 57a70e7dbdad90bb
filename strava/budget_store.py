"""Where the rate budget's state is kept."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

from strava.budget_state import BudgetState

T = TypeVar("T")


class BudgetStore(Protocol):
    """Keeps the state for all who share it."""

    async def read(self) -> BudgetState:
        """Return the state, to be looked at; a new one where none is kept."""

    async def change(self, edit: Callable[[BudgetState], T]) -> T:
        """Have the state edited, alone among all who share it, and keep it. Returns what `edit` returns."""

    def probing(self) -> AbstractAsyncContextManager[None]:
        """Hold the right to find out whether Strava answers, alone among all who share the state."""


class MemoryBudgetStore:
    """Keeps the state where nothing is shared: each answer's headers tell what others use."""

    def __init__(self) -> None:
        self._state = BudgetState()
        self._probe = asyncio.Lock()

    async def read(self) -> BudgetState:
        """Return the state."""
        return self._state

    async def change(self, edit: Callable[[BudgetState], T]) -> T:
        """Have the state edited; nothing comes between, for nothing is waited for."""
        return edit(self._state)

    def probing(self) -> AbstractAsyncContextManager[None]:
        """Hold the right alone among all tasks."""
        return self._probe
