"""Values that Keras wraps in a configuration because JSON has no word for them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from modelkb_store.errors import CodeGenerationError

if TYPE_CHECKING:
    from modelkb_store.codegen.keras.values import Speller


def is_special(value: Mapping[str, Any]) -> bool:
    """Return whether a dictionary stands for a tuple, an array, a slice and the like."""
    return value.get("class_name") in _WRITERS


def special_value(speller: Speller, value: Mapping[str, Any], where: str) -> ast.expr:
    """Write such a value.

    Raises:
        CodeGenerationError: It is not as Keras writes it.
    """
    try:
        return _WRITERS[value["class_name"]](speller, value.get("config"), value, where)
    except CodeGenerationError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise CodeGenerationError(where, f"it holds {value!r}", "save it again") from error


def _tuple(speller: Speller, config: Any, value: Mapping[str, Any], where: str) -> ast.expr:
    items = value.get("items", config)
    return ast.Tuple([speller.value(each, where) for each in items])


def _array(speller: Speller, config: Any, value: Mapping[str, Any], where: str) -> ast.expr:
    speller.names_used.add("np")
    keywords = [ast.keyword("dtype", ast.Constant(str(config["dtype"])))]
    made = ast.Attribute(ast.Name("np"), "array")
    return ast.Call(made, [_nested_list(speller, config["value"], where)], keywords)


def _tensor(speller: Speller, config: Any, value: Mapping[str, Any], where: str) -> ast.expr:
    made = speller.spelled("ops.convert_to_tensor")
    keywords = [ast.keyword("dtype", ast.Constant(str(config["dtype"])))]
    return ast.Call(made, [_nested_list(speller, config["value"], where)], keywords)


def _nested_list(speller: Speller, value: Any, where: str) -> ast.expr:
    if isinstance(value, list):
        return ast.List([_nested_list(speller, each, where) for each in value])
    return speller.value(value, where)


def _bytes(speller: Speller, config: Any, value: Mapping[str, Any], where: str) -> ast.expr:
    return ast.Constant(str(config["value"]).encode("utf-8"))


def _slice(speller: Speller, config: Any, value: Mapping[str, Any], where: str) -> ast.expr:
    parts = [speller.value(config[name], where) for name in ("start", "stop", "step")]
    return ast.Call(ast.Name("slice"), parts, [])


def _ellipsis(speller: Speller, config: Any, value: Mapping[str, Any], where: str) -> ast.expr:
    return ast.Constant(...)


def _unwritable(speller: Speller, config: Any, value: Mapping[str, Any], where: str) -> ast.expr:
    raise CodeGenerationError(
        where,
        f"it holds a {value['class_name'].strip('_')}, for which Keras has no word",
        "pass it to a layer of your own class, whose source is recorded",
    )


_Writer = Callable[["Speller", Any, Mapping[str, Any], str], ast.expr]
_WRITERS: dict[Any, _Writer] = {
    "__tuple__": _tuple,
    "__numpy__": _array,
    "__tensor__": _tensor,
    "__bytes__": _bytes,
    "__slice__": _slice,
    "__ellipsis__": _ellipsis,
    "__typespec__": _unwritable,
    "__keras_tensor__": _unwritable,
}
