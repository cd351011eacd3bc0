from __future__ import annotations

import ast

from modelkb_store.codegen.script.imports import Imports, modules_in
from modelkb_store.codegen.script.source_edits import names_in


def imports_of(text: str) -> tuple[Imports, list[str]]:
    imports = Imports(names_in(text))
    taken = imports.add_recorded(ast.parse(text).body)
    return imports, [ast.unparse(each) for each in taken]


def test_recorded_imports_come_to_the_top() -> None:
    imports, taken = imports_of("import a\nx = f()\nfrom b import c as d\n")

    assert taken == ["import a", "from b import c as d"]
    assert imports.text({"a", "d"}) == "import a\nfrom b import c as d"


def test_one_of_several_can_stand_elsewhere() -> None:
    imports, _ = imports_of("import argparse, os\n")

    assert imports.text({"argparse", "os"}, without="import os") == "import argparse"


def test_what_decides_later_imports_stays_before_them() -> None:
    _, taken = imports_of("import sys\nsys.path.insert(0, 'x')\nimport own\n")

    assert taken == ["import sys"]


def test_an_import_for_what_it_does_is_marked() -> None:
    imports, _ = imports_of("import tensorflow_text\nimport numpy as np\n")

    assert imports.text({"np"}) == "import tensorflow_text  # noqa: F401\nimport numpy as np"


def test_ours_is_theirs_where_it_means_the_same() -> None:
    imports, _ = imports_of("import keras\n")

    assert imports.name_of("keras") == "keras"
    assert imports.text({"keras"}) == "import keras"


def test_ours_gets_another_name_where_theirs_means_something_else() -> None:
    imports, _ = imports_of("from my_package import layers\nnp = 1\nown_np = 2\n")

    assert imports.name_of("layers") == "keras_layers"
    assert imports.name_of("np") == "own_np_"
    assert imports.name_of("np") == "own_np_"
    assert imports.text({"layers", "keras_layers", "own_np_"}).splitlines() == [
        "from my_package import layers",
        "from keras import layers as keras_layers",
        "import numpy as own_np_",
    ]


def test_a_future_import_is_told_apart() -> None:
    imports, taken = imports_of("from __future__ import annotations\nimport a\n")

    assert imports.has_future
    assert len(taken) == 2
    assert imports.text({"a"}) == "import a"


def test_modules_are_named_by_their_packages() -> None:
    program = "import a.b, c\nfrom d.e import f\nfrom . import g\n\ndef h():\n    import i\n"

    assert modules_in(program) == ["a", "c", "d", "i"]
