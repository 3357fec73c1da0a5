"""Names for interchangeable parts: engines, builders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from clusterflow.errors import LibraryError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Registry(Generic[T]):
    """A dictionary that says what it holds when asked for something else.

    >>> shapes = Registry[int]("shape")
    >>> shapes.register("cube")(6)
    6
    >>> shapes.get("cube")
    6
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._items: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """A decorator that files its subject under `name`."""

        def add(item: T) -> T:
            if name in self._items:
                raise LibraryError(f"{self._kind} {name!r} is registered twice")
            self._items[name] = item
            return item

        return add

    def get(self, name: str) -> T:
        """The item called `name`.

        Raises
        ------
        LibraryError
            If there is none; the message lists those there are.
        """
        if name not in self._items:
            raise LibraryError(
                f"unknown {self._kind} {name!r}: choose from {', '.join(self.names())}"
            )
        return self._items[name]

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._items)
