"""A result comes back from its file as it was."""

import json
import math
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from sukima.base.errors import InputError
from sukima.base.messages import say
from sukima.records.penalty import L1
from sukima.records.recipe import Recipe
from sukima.records.result import Comparison, Score, TuneResult
from sukima.records.saved import from_record, load_result, to_record
from sukima.records.schedule import Early


def round_trip(result: TuneResult | Comparison) -> TuneResult | Comparison:
    kind = "tune" if isinstance(result, TuneResult) else "compare"
    return from_record(kind, json.loads(json.dumps(to_record(result), allow_nan=False)))


def test_results_come_back_equal(examples: ModuleType) -> None:
    for result in (
        examples.tune_result(),
        examples.tune_result(comparison=None, baseline=None, ladder=(), search=(), complete=False),
        examples.tune_result(
            recipe=Recipe(penalties={"0": L1(1e-5)}, schedules={"*": Early(0.2)}, options={"width": 3})
        ),
        examples.comparison(),
    ):
        assert round_trip(result) == result


def test_messages_inside_messages_come_back(examples: ModuleType) -> None:
    inner = say("gap {gap}, {confidence}", gap="+0.1", confidence=say("confidence {percent} %", percent="90"))
    result = examples.tune_result(baseline=replace(examples.verdict(), evidence=(inner,)))
    found = round_trip(result)
    assert found.baseline.evidence[0].text("ja") == inner.text("ja")


def test_runs_that_diverged_come_back(examples: ModuleType) -> None:
    result = examples.comparison()
    lost = replace(result.arms[0].trials[0], validation=Score(math.inf, -math.inf))
    arms = (replace(result.arms[0], trials=(lost,)), *result.arms[1:])
    result.differences["tuned"] = replace(result.differences["tuned"], low=-math.inf)
    assert round_trip(replace(result, arms=arms)) == replace(result, arms=arms)


def test_numbers_of_numpy_are_written(examples: ModuleType) -> None:
    score = Score(np.float64(0.5), np.float32(0.25))  # type: ignore[arg-type]
    result = examples.comparison()
    trial = replace(result.arms[0].trials[0], validation=score, seed=np.int64(3))
    found = round_trip(replace(result, arms=(replace(result.arms[0], trials=(trial,)), *result.arms[1:])))
    assert found.arms[0].trials[0].validation == Score(0.5, 0.25)
    assert found.arms[0].trials[0].seed == 3


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[]", "{}", '{"kind": "tune"}', '{"kind": "audit", "record": {}}', '{"kind": "tune", "record": {}}',
        '{"kind": "compare", "record": []}', '{"kind": {}, "record": 1}', "\u0000", "NaN",
        '{"kind": "tune", "record": {"task": 1}}',
    ],
)  # fmt: skip
def test_what_is_no_result_is_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "result.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as error:
        load_result(path)
    assert "\n" not in str(error.value)


def test_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_result(tmp_path / "nothing.json")
