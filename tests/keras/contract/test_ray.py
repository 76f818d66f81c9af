"""The Ray engine with a Keras task: the trials of the local engine, on the backend of this process."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest

import sukima
from sukima.engines.local import LocalEngine
from sukima.engines.progress import Silent
from sukima.records.result import Trial

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "jax", reason="the same code on every backend; run where workers begin soonest"
)

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(90, 6)).astype("float32"), RNG.integers(0, 2, 90)


def model() -> Any:
    inside = [keras.layers.Dense(8, activation="relu"), keras.layers.Dropout(0.4, name="drop")]
    return keras.Sequential([keras.Input((6,)), *inside, keras.layers.Dense(2, activation="softmax")])


def task() -> sukima.Task:
    return sukima.Task(
        model=model, train=(X[:50], Y[:50]), validation=(X[50:70], Y[50:70]), test=(X[70:], Y[70:]),
        metric="accuracy", epochs=2, batch_size=25,
    )  # fmt: skip


def measure(_model: Any, _trial: Trial) -> dict[str, Any]:
    return {"backend": keras.backend.backend()}


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    made = pytest.importorskip("ray", reason="Ray is not installed")
    monkeypatch.delenv("KERAS_BACKEND")  # on a cluster nobody has set it
    made.init(num_cpus=2, include_dashboard=False, object_store_memory=80 * 2**20, log_to_driver=False)
    yield made
    made.shutdown()


def test_trials_are_those_of_the_local_engine(ray: Any) -> None:
    from sukima.engines.ray import RayEngine

    asked = [(sukima.Recipe(rates={"drop": rate}), seed) for rate in (0.0, 0.5) for seed in (0, 1)]
    with RayEngine(task(), Silent(), workers=2, measure=measure) as engine:
        engine.prepare(asked, test=True)
    assert ray.is_initialized()
    here = LocalEngine(task(), Silent(), measure=measure)
    here.prepare(asked, test=True)
    assert here.trials.keys() == engine.trials.keys()
    for key, trial in engine.trials.items():
        assert trial.effects == {"backend": "jax"}
        assert trial.history.status == "finished"
        assert trial.test is not None
        np.testing.assert_allclose(trial.history.train_loss, here.trials[key].history.train_loss, rtol=1e-5)
        np.testing.assert_allclose(trial.test.loss, here.trials[key].test.loss, rtol=1e-5)  # type: ignore[union-attr]
