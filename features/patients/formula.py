"""A formula is text, and the text is what runs: the dictionary cannot say one thing and the code do another.

The language is arithmetic over named numbers (`+ - * /`, a power by a whole number), comparisons of two numbers (1 or
0), the constant `pi`, the functions of `FUNCTIONS`, and a summary of some lesions, `sum(...) over patient`, if the
caller allows it. Everything is IEEE double precision on contiguous arrays, so a value does not depend on its position
in an array.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from features.arithmetic.segments import Floats

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": np.abs,
    "atan2": np.arctan2,
    "cbrt": np.cbrt,
    "degrees": np.degrees,
    "exp": np.exp,
    "ln": np.log,
    "max": np.maximum,
    "min": np.minimum,
    "sqrt": np.sqrt,
}
_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_COMPARISONS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}
#: To Python's own parser `sum(x) over patient` is the attribute `patient` of `sum(x)`.
_OVER = re.compile(r"\)\s*over\s+(?=[A-Za-z_])")
Over = Callable[[str, Floats, str], Floats]
"""From a summary's name, values (n,) and the name of a scope to the summary of each lesion's scope (n,)."""


def parsed(text: str) -> ast.expr:
    """The tree of a formula.

    Raises:
        SyntaxError: It is no formula.
    """
    return ast.parse(_OVER.sub(").", text), mode="eval").body


def no_scopes(summary: str, _values: Floats, scope: str) -> Floats:
    """The `Over` of single-lesion formulas.

    Raises:
        ValueError: Always.
    """
    message = f"a formula of one lesion cannot contain {summary}(...) over {scope}"
    raise ValueError(message)


@dataclass(frozen=True)
class Formula:
    """A formula over named arrays.

    Attributes:
        text: The formula as written.
        names: The short names it reads.
    """

    text: str
    names: tuple[str, ...] = field(init=False)
    _tree: ast.expr = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        tree = parsed(self.text)
        called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called}
        object.__setattr__(self, "_tree", tree)
        object.__setattr__(self, "names", tuple(sorted(names - {"pi"})))

    def __call__(self, values: Mapping[str, Floats], over: Over = no_scopes) -> Floats:
        """Evaluate the formula; where it has no value (0/0, the log of a negative number), the result is NaN.

        Args:
            values: An array (n,) for each of `names`; NaN is missing.
            over: Summaries of scopes.

        Returns:
            Array (n,), finite or NaN.
        """
        with np.errstate(all="ignore"):
            result = np.asarray(_evaluate(self._tree, values, over), dtype=np.float64)
        result[~np.isfinite(result)] = np.nan
        return result


def _evaluate(  # noqa: PLR0911 - a return for each part of the language
    node: ast.expr, values: Mapping[str, Floats], over: Over
) -> Any:  # noqa: ANN401 - array or constant
    def value(inner: ast.expr) -> Any:  # noqa: ANN401
        return _evaluate(inner, values, over)

    match node:
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](value(left), value(right))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARISONS:
            return _compared(_COMPARISONS[type(op)], value(left), value(right))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -value(operand)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
            return FUNCTIONS[name](*map(value, arguments))
        case ast.Attribute(value=ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]), attr=scope):
            return over(name, value(argument), scope)
        case ast.Name(id="pi"):
            return math.pi
        case ast.Name(id=name):
            return values[name]
        case ast.Constant(value=int() | float() as constant):
            return constant
        case _:
            message = f"a formula cannot contain {ast.unparse(node)!r}"
            raise ValueError(message)


def _compared(comparison: Callable[..., Any], left: Any, right: Any) -> Floats:  # noqa: ANN401
    """1 where it holds, 0 where it does not, NaN where either side is missing."""
    missing = np.isnan(left) | np.isnan(right)
    return np.where(missing, np.nan, np.asarray(comparison(left, right), dtype=np.float64))
