from __future__ import annotations

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from modelkb_viewer.components.plain_text import plain


def _run(script: Callable[[], None]) -> AppTest:
    app = AppTest.from_function(script, default_timeout=60).run()
    assert not app.exception
    return app


def _classes() -> None:
    import numpy as np

    from modelkb_viewer.content.tried_models import Tried
    from modelkb_viewer.pages.test_results import show_tried
    from modelkb_viewer.prediction.reading import Kind, Reading

    labels = ("![a](http://evil.example/a.png)", "<b>", *map(str, range(10)))
    values = np.zeros((2, 12))
    values[0, 0], values[1, 1] = 1.0, 1.0
    reading = Reading("output", Kind.CLASSES, values, labels, ("a **note**",))
    show_tried(
        [
            Tried(
                "a",
                "run",
                "End of the run",
                readings=(reading,),
                samples=("a.png", "<i>.png"),
                backend="jax",
                not_recorded="the store is read-only",
            )
        ]
    )


def test_labels_are_text_whatever_is_in_them() -> None:
    app = _run(_classes)
    assert app.subheader[0].value == plain("![a](http://evil.example/a.png)")
    captions = [each.value.replace("\\", "") for each in app.caption]
    assert "A **note**." in captions
    assert "The 10 most likely of 12." in captions
    assert "End of the run, 0 s, computed on jax" in captions[-1]
    assert "the store is read" in app.warning[0].value
    app.selectbox("test-sample").select_index(1).run()
    assert app.subheader[0].value == r"\<b\>"
    assert app.dataframe[0].value["Probability"].iloc[0] == 1.0
    assert app.dataframe[1].value["Class"].tolist()[1] == "<b>"


def _others() -> None:
    import numpy as np
    import streamlit as st

    from modelkb_viewer.content.tried_models import Tried
    from modelkb_viewer.pages import links
    from modelkb_viewer.pages.navigation import make_pages
    from modelkb_viewer.pages.test_results import show_tried
    from modelkb_viewer.prediction.reading import Kind, Reading

    pages = make_pages()
    links.remember(pages)
    st.navigation(list(pages.values()), position="hidden")
    value = Reading("price", Kind.VALUES, np.array([[14936.21]]), ("price",))
    several = Reading("box", Kind.VALUES, np.array([[1.0, 2.0]]), ("box 1", "box 2"))
    mask = Reading("mask", Kind.ARRAY, np.full((1, 4, 4), 0.5), ())
    show_tried(
        [
            Tried("a", "first", "End of the run", readings=(value, several), samples=("x",)),
            Tried("b", "second", "Epoch 3", readings=(mask,), samples=("x",)),
            Tried("c", "third", "Epoch 3", problem="*it* takes 8 x 8 x 1"),
        ]
    )


def test_values_arrays_and_problems_side_by_side() -> None:
    app = _run(_others)
    assert app.metric[0].value.replace("\\", "") == "14,940"
    assert app.dataframe[0].value["Value"].tolist() == [1.0, 2.0]
    text = [each.value.replace("\\", "") for each in app.markdown]
    assert "An array of 4 x 4 for each sample." in text
    assert "Values 0.5 to 0.5, mean 0.5." in text
    assert app.error[0].value == r"\*it\* takes 8 x 8 x 1"
