from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from modelkb_viewer.exchange.exporting.mlflow_names import legal_names, parameter_text
from modelkb_viewer.exchange.importing.parameter_values import value_of

PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.lists(
        st.text(max_size=12) | st.sampled_from(["a" * 300, "a" * 299, "mlflow.user"]), unique=True
    )
)
def test_names_are_legal_and_differ(names: list[str]) -> None:
    legal = legal_names(names)
    assert list(legal) == names
    assert len(set(legal.values())) == len(names)
    for name in legal.values():
        assert 0 < len(name) <= 250
        assert not name.startswith(("/", "mlflow."))
        assert not {"", ".", ".."} & set(name.split("/"))
        assert all(letter.isalnum() or letter in "_-. :/" for letter in name)


def test_usual_names_stay() -> None:
    usual = ["val_loss", "optimizer.beta_1", "system/cpu", "a b"]
    assert legal_names(usual) == {name: name for name in usual}


@given(PLAIN | st.lists(PLAIN) | st.dictionaries(st.text(), PLAIN))
def test_values_come_back(value: object) -> None:
    assert value_of(parameter_text(value)) == value
