"""Tasks with a Keras model: fitting, tuning, comparing."""

import math
import random
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as kl
from once import once

import sukima
import sukima.keras as sk
from sukima.base.errors import InputError
from sukima.engines.choose import framework, framework_of
from sukima.engines.keras.run import Run
from sukima.engines.local import LocalEngine
from sukima.engines.progress import Silent
from sukima.engines.seeds import derive_seed
from sukima.records.result import Trial

RNG = np.random.default_rng(0)

INPUTS = RNG.normal(size=(180, 10)).astype("float32")
CLASSES = (INPUTS[:, :3].argmax(1)).astype("int64")


def model(softmax: bool = True, dropout: Any = kl.Dropout) -> Any:
    layers = [keras.Input((10,)), kl.Dense(16, activation="relu"), dropout(0.4, name="drop")]
    return keras.Sequential([*layers, kl.Dense(3, activation="softmax" if softmax else None)])


def task(**changes: Any) -> sukima.Task:
    settings: dict[str, Any] = {
        "model": model,
        "train": (INPUTS[:100], CLASSES[:100]),
        "validation": (INPUTS[100:140], CLASSES[100:140]),
        "test": (INPUTS[140:], CLASSES[140:]),
        "metric": "accuracy",
        "epochs": 3,
        "learning_rate": 0.01,
        "batch_size": 20,
    }
    return sukima.Task(**{**settings, **changes})


def trained(work: sukima.Task, recipe: sukima.Recipe | None = None, seed: int = 0, test: bool = False) -> Trial:
    run = Run(work, recipe or sukima.Recipe(), seed)
    while run.active:
        run.epoch()
    return run.finish(test=test)


def test_the_framework_is_told_by_the_model() -> None:
    assert framework_of(task()) == "keras"


def test_a_run_is_a_function_of_its_seed() -> None:
    one, again, other = trained(task()), trained(task()), trained(task(), seed=1)
    np.testing.assert_allclose(one.history.train_loss, again.history.train_loss, rtol=1e-5)
    assert one.history.train_loss != other.history.train_loss
    assert one.history.epochs == 3
    assert one.history.train_in_inference_mode


def test_arms_share_weights_and_order() -> None:
    rows = INPUTS[:5]
    firsts = [Run(task(), sukima.Recipe(rates={"drop": rate}), 4).model.predict(rows, verbose=0) for rate in (0.0, 0.6)]
    np.testing.assert_array_equal(*firsts)


@pytest.mark.parametrize(
    ("softmax", "one_hot"),
    [(True, False), (False, True), *(pytest.param(both, both, marks=once) for both in (True, False))],
)
def test_scores_are_those_of_the_outputs(softmax: bool, one_hot: bool) -> None:
    classes = np.eye(3, dtype="float32")[CLASSES] if one_hot else CLASSES
    work = task(
        model=lambda: model(softmax),
        train=(INPUTS[:100], classes[:100]),
        validation=(INPUTS[100:], classes[100:]),
        test=(INPUTS[140:], classes[140:]),
    )
    run = Run(work, sukima.Recipe(label_smoothing=0.2, penalties={"*": sukima.L2(strength=0.1)}), 0)
    run.epoch()
    trial = run.finish(test=True)
    outputs = run.model.predict(INPUTS[140:], verbose=0).astype(np.float64)
    shares = outputs if softmax else np.exp(outputs) / np.exp(outputs).sum(1, keepdims=True)
    assert trial.test is not None
    np.testing.assert_allclose(trial.test.loss, -np.log(shares[np.arange(40), CLASSES[140:]]).mean(), rtol=1e-4)
    np.testing.assert_allclose(trial.test.metric, (shares.argmax(1) == CLASSES[140:]).mean(), rtol=1e-6)


@once
@pytest.mark.parametrize("metric", ["mse", "rmse", "mae", "r2", None])
def test_regression(metric: str | None) -> None:
    targets = INPUTS.sum(1)
    work = task(
        model=lambda: keras.Sequential([keras.Input((10,)), kl.Dense(8, activation="tanh"), kl.Dense(1)]),
        train=(INPUTS[:100], targets[:100]),
        validation=0.2,
        test=(INPUTS[140:], targets[140:]),
        loss="mse",
        metric=metric,
    )
    run = Run(work, sukima.Recipe(), 0)
    run.epoch()
    trial = run.finish(test=True)
    assert trial.test is not None
    error = run.model.predict(INPUTS[140:], verbose=0)[:, 0] - targets[140:]
    mse = float((error**2).mean())
    np.testing.assert_allclose(trial.test.loss, mse, rtol=1e-4)
    known = {"mse": mse, "rmse": math.sqrt(mse), "mae": np.abs(error).mean(), "r2": 1 - mse / targets[140:].var()}
    if metric is None:
        assert trial.test.metric is None
    else:
        np.testing.assert_allclose(trial.test.metric, known[metric], rtol=1e-4)


@once
def test_what_stops_a_run() -> None:
    patient = trained(task(epochs=30, learning_rate=0.3), sukima.Recipe(early_stopping=2))
    assert patient.history.status == "early_stopped"
    assert patient.epoch <= patient.history.epochs - 2
    wild = task(loss="mse", metric=None, model=lambda: keras.Sequential([keras.Input((10,)), kl.Dense(1)]),
                train=(INPUTS[:100] * 1e18, CLASSES[:100]), optimizer="sgd", epochs=4)  # fmt: skip
    assert trained(wild).history.status == "diverged"


@once
@pytest.mark.parametrize("optimizer", ["sgd", lambda _: keras.optimizers.SGD(0.1)])
def test_gradients_are_clipped(optimizer: Any) -> None:
    from sukima.engines.keras.model import make_optimizer

    work = task(optimizer=optimizer, clip_norm=0.5)
    made = make_optimizer(work, sukima.Recipe(), work.model().trainable_variables)
    variable = keras.Variable(np.zeros(2, "float32"))
    made.build([variable])
    made.learning_rate = 1.0
    made.apply([keras.ops.convert_to_tensor(np.array([30.0, 40.0], "float32"))])
    np.testing.assert_allclose(keras.ops.convert_to_numpy(variable), [-0.3, -0.4], rtol=1e-5)


def test_losses_and_optimizers_of_one_s_own() -> None:
    trial = trained(
        task(
            loss=keras.losses.SparseCategoricalCrossentropy(),
            optimizer=lambda _: keras.optimizers.SGD(0.1),
            metric=lambda outputs, targets: keras.ops.mean(outputs[:, 0]),
        )
    )
    assert trial.history.epochs == 3


@once
def test_adam_is_what_is_taken_by_itself() -> None:
    np.testing.assert_allclose(trained(task(optimizer="adam")).history.train_loss, trained(task()).history.train_loss)


@once
def test_noise_on_the_inputs_of_training() -> None:
    given: list[Any] = []

    class Ear(kl.Layer):
        def call(self, x: Any, training: bool = False) -> Any:
            if training:
                given.append(keras.ops.convert_to_numpy(x))
            return x

    def hearing() -> Any:
        return keras.Sequential([keras.Input((10,)), Ear(), kl.Dense(3)])

    first = [Run(task(model=hearing), sukima.Recipe(input_noise=noise), 3) for noise in (0.0, 0.5, 0.5)]
    seen = []
    for run in first:
        given.clear()
        run.epoch()
        seen.append(np.concatenate(given))
    assert abs((seen[1] - seen[0]).std() - 0.5) < 0.03  # the same rows in the same order
    np.testing.assert_array_equal(seen[1], seen[2])
    with pytest.raises(InputError, match="mixup must be 0"):
        Run(task(), sukima.Recipe(mixup=0.2), 0)
    with pytest.raises(InputError, match="input_noise needs an array of floating-point"):
        Run(task(train=(CLASSES[:9, None], CLASSES[:9])), sukima.Recipe(input_noise=0.2), 0)


class Sequence(keras.utils.PyDataset):
    """Batches by number, as Keras users write it."""

    def __init__(self, x: Any, y: Any, endless: bool = False) -> None:
        super().__init__()
        self.x, self.y, self.endless = x, y, endless

    def __len__(self) -> int:
        return -(-len(self.y) // 20)

    @property
    def num_batches(self) -> int | None:
        return None if self.endless else len(self)

    def __getitem__(self, number: int) -> Any:
        rows = slice(20 * number, 20 * number + 20)
        return self.x[rows], self.y[rows]


def data_set(kind: str, x: Any, y: Any) -> Any:
    if kind == "PyDataset":
        return Sequence(x, y)
    if kind == "DataLoader":
        data = pytest.importorskip("torch.utils.data", reason="torch is not installed")
        return data.DataLoader(list(zip(x, y, strict=True)), batch_size=20)
    tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(20)


OWN = {"torch": "DataLoader", "tensorflow": "tf.data"}.get(keras.backend.backend(), "PyDataset")


@pytest.mark.parametrize("kind", dict.fromkeys(("PyDataset", OWN)))
def test_data_sets_as_keras_users_have_them(kind: str) -> None:
    """A run on them is Keras' own fit on them; measured is every row."""
    parts = {"train": slice(0, 90), "validation": slice(100, 140), "test": slice(140, 180)}
    work = task(**{name: data_set(kind, INPUTS[rows], CLASSES[rows]) for name, rows in parts.items()})
    run = Run(work, sukima.Recipe(rates={"drop": 0.0}), 2)
    own = model(dropout=lambda _rate, name: kl.Dropout(0.0, name=name))
    own.set_weights(run.model.get_weights())
    own.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    run.epoch()
    trial = run.finish(test=True)
    random.seed(derive_seed(2, "order", 0))  # fit shuffles the batches of a PyDataset by Python's generator
    own.fit(data_set(kind, INPUTS[:90], CLASSES[:90]), verbose=0)
    expected = own.evaluate(INPUTS[140:], CLASSES[140:], verbose=0)
    assert trial.test is not None
    np.testing.assert_allclose((trial.test.loss, trial.test.metric), expected, rtol=1e-4)
    probe = framework(work).probe(work)
    np.testing.assert_array_equal(probe.targets("test"), CLASSES[140:])
    np.testing.assert_allclose(probe.outputs(run.model, "test"), run.model.predict(INPUTS[140:], verbose=0), rtol=1e-4)


@once
def test_side_by_side_is_as_one_after_another() -> None:
    recipes = [(sukima.Recipe(rates={"drop": rate}), 0) for rate in (0.0, 0.5)]
    apart = LocalEngine(task(), Silent())
    apart.prepare(recipes)
    told: list[int] = []

    def judge(epoch: int, histories: Any) -> list[int]:
        told.append(epoch)
        return [1] if epoch == 2 else []

    together = LocalEngine(task(), Silent())
    together.prepare(recipes, rungs=(1, 2), judge=judge)
    assert told == [1, 2]
    one, two = (next(t for t in engine.trials.values() if t.recipe == recipes[0][0]) for engine in (apart, together))
    np.testing.assert_allclose(one.history.train_loss, two.history.train_loss, rtol=1e-5)
    assert next(t for t in together.trials.values() if t.recipe == recipes[1][0]).history.status == "pruned"


@once
def test_a_candidate_that_raises_has_failed() -> None:
    engine = LocalEngine(task(loss=lambda outputs, targets: outputs.no_such_thing), Silent())
    (trial,) = engine.run(sukima.Recipe(), [0])
    assert trial.history.status == "failed"


def of_unknown_framework() -> Any:
    raise OSError("no weights")


def of_keras() -> Any:
    return keras.Sequential(no_such_argument=True)


@once
@pytest.mark.parametrize("factory", [of_unknown_framework, of_keras])
def test_a_factory_that_raises_fails_its_candidates(factory: Any) -> None:
    with LocalEngine(task(model=factory), Silent()) as engine:
        engine.get_ready()
        engine.prepare([(sukima.Recipe(), seed) for seed in range(2)])
        assert [trial.history.status for trial in engine.trials.values()] == ["failed"] * 2


@once
def test_fit() -> None:
    fitted = sukima.fit(task(), sukima.Recipe(rates={"drop": 0.2}), 3, test=True)
    trial = trained(task(), sukima.Recipe(rates={"drop": 0.2}), 3, test=True)
    np.testing.assert_allclose(fitted.trial.history.train_loss, trial.history.train_loss, rtol=1e-5)
    right = fitted.model.predict(INPUTS[140:], verbose=0).argmax(1) == CLASSES[140:]
    assert fitted.trial.test.metric == pytest.approx(right.mean())


@once
def test_tune() -> None:
    found = sukima.tune(task(epochs=2), strategy="random", trials=2, search_seeds=1, test_seeds=2)
    assert found.complete
    assert [site.name for site in found.sites] == ["drop"]
    assert found.comparison is not None


@once  # of the others by the command, in test_without_torch
def test_compare_measures_what_else_regularization_does(tmp_path: Path) -> None:
    recipes = {"none": sukima.Recipe(rates={"drop": 0.0}), "dropout": sukima.Recipe(rates={"drop": 0.5})}
    found = sukima.compare(task(epochs=1), recipes, seeds=2, runs=tmp_path / "runs.jsonl")
    assert found.data == "test"
    assert found.arms[0].trials[0].history.metric == "accuracy"
    assert found.effects.keys() == {
        "metric", "gap", "noisy_loss", "calibration", "brier", "co_adaptation", "sparsity", "masked", "epochs",
        "seconds",
    }  # fmt: skip
    assert set(found.effects["masked"].values["none"]) == {0.0}
    assert 0.0 not in found.effects["masked"].values["dropout"]
    again = sukima.compare(task(epochs=1), recipes, seeds=2, runs=tmp_path / "runs.jsonl")
    assert again.cost.trials == 0
    assert again.effects == found.effects


@once
def test_the_default_arms_of_a_comparison() -> None:
    found = sukima.compare(task(epochs=1, batch_size=50, spare=(INPUTS[:100], CLASSES[:100])), seeds=2)
    assert not found.left_out
    assert {arm.name for arm in found.arms} == {
        "none", "dropout", "l1", "l2", "elastic net", "early stopping", "batch norm", "augmentation", "smaller model",
        "twice the data", "ensemble", "dropout + l2", "dropout + early stopping", "dropout + batch norm",
        "dropout + max-norm",
    }  # fmt: skip
    none, ensemble = found.arm("none"), found.arm("ensemble")
    assert ensemble.trials[0].history.validation_loss == none.trials[0].history.validation_loss
    assert ensemble.trials[0].test != none.trials[0].test
    assert found.arm("augmentation").trials[0].history.train_loss != none.trials[0].history.train_loss


@once
def test_fingerprints() -> None:
    one, again, other = task(), task(), task(model=lambda: model(dropout=sk.GaussianDropout))
    assert framework(one).fingerprint(one) == framework(again).fingerprint(again)
    assert framework(one).fingerprint(one) != framework(other).fingerprint(other)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"train": iter([(INPUTS, CLASSES)])},
            "train must be a pair of arrays, a keras.utils.PyDataset, .*got list_it",
        ),
        ({"train": Sequence(INPUTS, CLASSES, endless=True)}, "train must come to an end"),
        ({"train": Sequence(INPUTS, CLASSES[:0])}, "train must not be empty"),
        ({"loss": "hinge"}, "loss must be one of"),
        ({"metric": "f1"}, "metric must be one of"),
        ({"optimizer": "lion"}, "optimizer must be one of"),
    ],
)
def test_wrong_tasks(changes: Any, text: str) -> None:
    with pytest.raises(InputError, match=text):
        Run(task(**changes), sukima.Recipe(), 0)


def test_wrong_factories() -> None:
    one = model()
    work = task(model=lambda: one)
    Run(work, sukima.Recipe(), 0)
    with pytest.raises(InputError, match=r"model\(\) must make a new model at each call"):
        Run(work, sukima.Recipe(), 0)
    with pytest.raises(InputError, match="options must be what the model factory takes"):
        Run(task(), sukima.Recipe(options={"width": 3}), 0)
