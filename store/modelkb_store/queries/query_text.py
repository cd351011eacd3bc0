"""The text of a query, which its errors show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from modelkb_store.errors import QueryTypeError, UnknownQueryNameError
from modelkb_store.queries.syntax import Name


@dataclass(frozen=True, slots=True)
class QueryText:
    """What a person asked, for whoever has to say what is wrong with it."""

    text: str

    def unknown(self, kind: str, name: Name, known: Iterable[str]) -> UnknownQueryNameError:
        """Return the error for a name that nothing has."""
        return UnknownQueryNameError(kind, str(name), self.text, name.position, known)

    def mismatch(self, problem: str, position: int, hint: str = "") -> QueryTypeError:
        """Return the error for what cannot be compared."""
        return QueryTypeError(problem, self.text, position, hint)
