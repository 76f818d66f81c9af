"""How a task was trained, as a report tells it."""

import numpy as np
import pytest

from sukima.records.task import Task, setup_of

X, Y = np.zeros((10, 2)), np.zeros(10)


class Loader:
    """Data that do not say how many rows they have."""

    def __iter__(self) -> object:
        return iter(())


def half_error(outputs: object, targets: object) -> float:
    return 0.5


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"validation": (X[:4], Y[:4])}, {"validation_rows": 4}),
        ({"validation": 0.2}, {"validation_rows": "20 %"}),
        ({"validation": 0.2, "test": (X[:3], Y[:3])}, {"test_rows": 3}),
        ({"validation": 0.2, "loss": half_error}, {"loss": "half_error"}),
        ({"validation": 0.2, "learning_rate": 0.1, "patience": 3}, {"learning_rate": 0.1, "patience": 3}),
    ],
)
def test_setup_names_what_is_known(changes: dict[str, object], expected: dict[str, object]) -> None:
    found = setup_of(Task(model=dict, train=(X, Y), **changes))  # type: ignore[arg-type]
    assert found["train_rows"] == 10
    assert expected.items() <= found.items()


def test_setup_leaves_out_what_is_not_known() -> None:
    found = setup_of(Task(model=dict, train=Loader(), validation=Loader()))
    assert not {"train_rows", "validation_rows", "test_rows", "metric", "patience"} & found.keys()
