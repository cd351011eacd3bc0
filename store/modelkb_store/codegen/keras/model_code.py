"""The functions that make a model: ``build_model()``, and one for each model inside it."""

from __future__ import annotations

import ast
import dataclasses
import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from modelkb_store.codegen.keras.applications import application_arguments
from modelkb_store.codegen.keras.folding import fold
from modelkb_store.codegen.keras.freezing import freezing_statements, is_frozen, thawed
from modelkb_store.codegen.keras.naming import identifier, with_readable_names
from modelkb_store.codegen.keras.own_model import OwnModel, constructed_for
from modelkb_store.codegen.keras.program import functional_program
from modelkb_store.codegen.keras.roles import argument_role, function_title
from modelkb_store.codegen.keras.settings import policy_name
from modelkb_store.codegen.keras.spelling import Spelling
from modelkb_store.codegen.keras.values import BASE_SETTINGS, Speller
from modelkb_store.codegen.network.auto_names import names_to_leave_out
from modelkb_store.codegen.network.masks import without_implicit_masks
from modelkb_store.codegen.network.network import Layer, Network
from modelkb_store.codegen.network.ordering import constructed
from modelkb_store.codegen.network.parsing import parse_model
from modelkb_store.errors import CodeGenerationError

BUILD_MODEL = "build_model"
_STACK = "stack"
_FLOAT32 = "float32"


@dataclass(frozen=True, slots=True)
class ModelCode:
    """Code that makes a model.

    Attributes:
        functions: The functions, the last of them ``build_model``, as text.
        names_used: The names that it needs to be imported: ``keras``, ``layers``, ``np``, ..
        dtype_policy: The global dtype policy that it counts on.
        problems: What could not be written exactly, for people.
    """

    functions: tuple[str, ...]
    names_used: frozenset[str]
    dtype_policy: str = _FLOAT32
    problems: tuple[str, ...] = ()


def model_code(
    model_config: Mapping[str, Any],
    *,
    definitions: Collection[str] = (),
    dtype_policy: str | None = None,
    taken: Collection[str] = (),
    applications: bool = False,
) -> ModelCode:
    """Write the functions that make a model.

    Args:
        model_config: The model as Keras serializes it.
        definitions: The names of classes and functions of the user's that are defined.
        dtype_policy: The global policy that will be set; by default that of most layers.
        taken: Further names that mean something else where the code will stand.
        applications: Whether models of ``keras.applications`` are written as one call, where
            they are exactly that; this makes them to find out, and so needs Keras.

    Raises:
        CodeGenerationError: A layer cannot be written; says which.
    """
    model = parse_model(model_config)
    policy = dtype_policy or _usual_policy(model)
    speller = Speller(
        default_dtype=policy,
        definitions=definitions,
        left_out=names_to_leave_out(_constructed(model)),
    )
    names = {*definitions, *taken, "keras", "layers", "ops", "np"}
    return _code(_Writer(speller, names, looks_for_applications=applications), model, policy)


def own_model_code(
    class_name: str,
    given: Mapping[str, Any],
    *,
    definitions: Collection[str] = (),
    dtype_policy: str | None = None,
    input_shape: Any = None,
    is_never_called: bool = False,
) -> ModelCode:
    """Write the functions that make a model of the user's class by its constructor alone.

    Args:
        class_name: The class.
        given: The arguments as they were recorded; a text that names a definition means it.
        definitions: The names of classes and functions of the user's that are defined.
        dtype_policy: The global policy that will be set.
        input_shape: The shape of its inputs, or a structure of shapes, with which it is called so
            that it has weights; None if it is not called.
        is_never_called: Whether it has no ``call``, and so must say itself that it is built before
            weights are loaded into it.

    Raises:
        CodeGenerationError: An argument cannot be written; says which.
    """
    build_config: dict[str, Any] = {"is_never_called": True} if is_never_called else {}
    if input_shape is not None:
        build_config["input_shape"] = input_shape
    model = Layer(class_name, class_name, None, class_name, given, build_config)
    policy = dtype_policy or _FLOAT32
    speller = Speller(
        default_dtype=policy,
        definitions=definitions,
        left_out=names_to_leave_out(_constructed(model)),
    )
    names = {*definitions, "keras", "layers", "ops", "np"}
    return _code(_Writer(speller, names, texts_are_names=True), model, policy)


def _constructed(model: Network | Layer) -> list[Layer | Network]:
    """Return all layers and networks in the order in which code constructs them."""
    if isinstance(model, Layer):
        own = constructed_for(model.config)
        return own or [model]
    return [each for _, each in constructed(model)]


def _code(writer: _Writer, model: Network | Layer, policy: str) -> ModelCode:
    speller = writer.speller
    try:
        writer.write(model)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        if isinstance(error, CodeGenerationError):
            raise
        raise CodeGenerationError(
            "the model",
            f"its configuration does not fit together ({error!r})",
            "save it again with model.save(path) or model.to_json()",
        ) from error
    return ModelCode(
        functions=tuple(ast.unparse(ast.fix_missing_locations(each)) for each in writer.functions),
        names_used=frozenset(speller.names_used),
        dtype_policy=policy,
        problems=tuple(dict.fromkeys(speller.problems)),
    )


@dataclass(slots=True)
class _Writer:
    speller: Speller
    taken: set[str]
    looks_for_applications: bool = False
    texts_are_names: bool = False
    functions: list[ast.FunctionDef] = field(default_factory=list)
    _builders: dict[str, str] = field(default_factory=dict)

    def write(self, model: Network | Layer) -> None:
        self.taken.add(BUILD_MODEL)
        self._spelling = Spelling(self.speller, self._nested)
        self.speller.build = self._nested
        body = self._body_of_own_class(model) if isinstance(model, Layer) else self._body(model)
        self.functions.append(_function(BUILD_MODEL, body))

    _spelling: Spelling = field(init=False)

    def _nested(self, network: Network) -> ast.expr:
        """Write the expression that makes a model inside the model."""
        if network.kind == "sequential" and not is_frozen(network):
            return self._sequential(network)
        application = None if is_frozen(network) else self._application(network)
        if application is not None:
            return application
        return self._call_of_function(network, network.name)

    def _call_of_function(self, network: Network, wish: str) -> ast.expr:
        """Write the call of a function of its own that makes a model."""
        key = json.dumps([network.name, str(network)])
        if key not in self._builders:
            name = self._free_name(f"build_{identifier(wish)}")
            self._builders[key] = name
            self.functions.append(_function(name, self._body(network)))
        return ast.Call(ast.Name(self._builders[key]), [], [])

    def _body(self, network: Network) -> list[ast.stmt]:
        """Write the body of the function that makes a model."""
        frozen = is_frozen(network)
        whole, network = network, thawed(network) if frozen else network
        application = self._application(network)
        statements: list[ast.stmt] = []
        if application is not None:
            result = application
        elif network.kind == "sequential":
            statements, result = self._sequential_body(network)
        else:
            statements, result = self._functional_body(network)
        if not frozen:
            return [*statements, ast.Return(result)]
        return [
            *statements,
            ast.Assign([ast.Name("model")], result),
            *freezing_statements(whole, "model"),
            ast.Return(ast.Name("model")),
        ]

    def _application(self, network: Network) -> ast.expr | None:
        """Write the call that makes a model of ``keras.applications``, if it is one."""
        if not self.looks_for_applications or network.kind != "functional":
            return None
        if any(layer.config.get("trainable") is False for layer in network.layers):
            return None
        found = application_arguments(network)
        if found is None:
            return None
        where = f"model {network.name!r}"
        keywords = [
            ast.keyword(key, self.speller.value(value, where)) for key, value in found[1].items()
        ]
        return ast.Call(self.speller.spelled(f"keras.applications.{found[0]}"), [], keywords)

    def _functional_body(self, network: Network) -> tuple[list[ast.stmt], ast.expr]:
        program = functional_program(without_implicit_masks(network), self._spelling)
        needed = {node.id for node in ast.walk(program.result) if isinstance(node, ast.Name)}
        folded = fold(
            program.statements,
            needed=needed,
            taken=self.taken,
            wishes=program.wishes,
            role=argument_role,
            title=function_title,
        )
        self._add_functions(folded.functions)
        last = ast.Return(program.result)
        named = with_readable_names([*folded.statements, last], program.wishes, self.taken)
        return named[:-1], program.result

    def _sequential_body(self, network: Network) -> tuple[list[ast.stmt], ast.expr]:
        """Write a list of layers; where layers repeat, a list that grows in loops."""
        layers = [self._element(layer) for layer in network.layers]
        append = ast.Attribute(ast.Name(_STACK), "append")
        statements: list[ast.stmt] = [ast.Expr(ast.Call(append, [each], [])) for each in layers]
        folded = fold(
            statements, taken={*self.taken, _STACK}, role=argument_role, title=function_title
        )
        if len(folded.statements) == len(statements):
            return [], self._sequential(network)
        self._add_functions(folded.functions)
        first = ast.Assign([ast.Name(_STACK)], ast.List([]))
        return [first, *folded.statements], self._sequential_call(network, ast.Name(_STACK))

    def _sequential(self, network: Network) -> ast.expr:
        layers = [self._element(layer) for layer in network.layers]
        return self._sequential_call(network, ast.List(layers))

    def _sequential_call(self, network: Network, layers: ast.expr) -> ast.expr:
        keywords = self._spelling.name_keyword(network)
        if not network.config.get("trainable", True):
            keywords.append(ast.keyword("trainable", ast.Constant(False)))
        return ast.Call(self._spelling.class_of(network, "Sequential"), [layers], keywords)

    def _element(self, layer: Layer) -> ast.expr:
        return self._spelling.input(layer) if layer.is_input else self._spelling.layer(layer)

    def _body_of_own_class(self, model: Layer) -> list[ast.stmt]:
        """Write a model that is a class of the user's: its constructor, and its shapes."""
        statements, made = self._constructor_call(model)
        build_config = model.build_config or {}
        shape = build_config.get("input_shape")
        if build_config.get("is_never_called"):
            statements.append(ast.Assign([ast.Name("model")], made))
            built = ast.Attribute(ast.Name("model"), "built")
            statements.append(ast.Assign([built], ast.Constant(True)))
            return [*statements, ast.Return(ast.Name("model"))]
        if shape is None:
            return [*statements, ast.Return(made)]
        # A call on what stands for data makes the weights, whether or not it has a build().
        variable = ast.Name("model")
        call = ast.Call(variable, [self._inputs(shape, f"model {model.name!r}")], [])
        return [*statements, ast.Assign([variable], made), ast.Expr(call), ast.Return(variable)]

    def _constructor_call(self, model: Layer) -> tuple[list[ast.stmt], ast.Call]:
        settings = {key: model.config[key] for key in BASE_SETTINGS if key in model.config}
        given = {key: value for key, value in model.config.items() if key not in settings}
        usual = self._spelling.layer(dataclasses.replace(model, config=settings))
        assert isinstance(usual, ast.Call)
        names = frozenset(self.speller.definitions if self.texts_are_names else ())
        where = f"model {model.name!r}"
        writer = OwnModel(
            given, where, self._spelling, self._call_of_function, names, frozenset(self.taken)
        )
        statements, call = writer.write(usual.func)
        return statements, ast.Call(call.func, [], [*call.keywords, *usual.keywords])

    def _inputs(self, shape: Any, where: str) -> ast.expr:
        """Write what stands for inputs of some shapes."""
        if isinstance(shape, Mapping):
            keys: list[ast.expr | None] = [ast.Constant(str(key)) for key in shape]
            return ast.Dict(keys, [self._inputs(each, where) for each in shape.values()])
        if any(isinstance(each, (list, tuple, Mapping)) for each in shape):
            return ast.List([self._inputs(each, where) for each in shape])
        return self.speller.input_call({"batch_shape": shape}, where, name=None)

    def _add_functions(self, functions: list[ast.FunctionDef]) -> None:
        self.functions += functions
        self.taken |= {each.name for each in functions}

    def _free_name(self, wish: str) -> str:
        name, number = wish, 1
        while name in self.taken:
            number += 1
            name = f"{wish}_{number}"
        self.taken.add(name)
        return name


def _function(name: str, body: list[ast.stmt]) -> ast.FunctionDef:
    """Return a function without parameters."""
    function = ast.parse("def name(): pass").body[0]
    assert isinstance(function, ast.FunctionDef)
    function.name, function.body = name, body
    return function


def _usual_policy(model: Network | Layer) -> str:
    """Return the dtype policy that most layers have, as far as it is a name."""
    names: Counter[str] = Counter()
    for each in _constructed(model):
        # An input has no policy, only a dtype.
        if isinstance(each, Layer) and each.class_name != "InputLayer":
            names.update(filter(None, [policy_name(each.config.get("dtype"))]))
    return names.most_common(1)[0][0] if names else _FLOAT32
