"""Finding text whatever its case, in the words that each database is quick at."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, ColumnElement, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

MAILBOX_DOMAIN_SQL = "substr({address}, instr({address}, '@') + 1)"
"""What stands after the @, for statements written by hand; an address without one as it is."""

_ESCAPE = "!"


class _Contains(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True


@compiles(_Contains)
def _like(element: _Contains, compiler: SQLCompiler, **how: Any) -> str:
    # SQLite's LIKE folds ASCII by itself; lower() on both sides takes three times as long.
    column, pattern = list(element.clauses)
    return f"{compiler.process(column, **how)} LIKE {compiler.process(pattern, **how)} ESCAPE '{_ESCAPE}'"


@compiles(_Contains, "postgresql")
def _ilike(element: _Contains, compiler: SQLCompiler, **how: Any) -> str:
    return _like(element, compiler, **how).replace(" LIKE ", " ILIKE ", 1)


def contains(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    """Whether a column contains ``text``, letter by letter: nothing in it is a pattern. The case of ASCII is one."""
    plain = text.replace(_ESCAPE, _ESCAPE * 2).replace("%", f"{_ESCAPE}%").replace("_", f"{_ESCAPE}_")
    return _Contains(column, literal(f"%{plain}%"))
