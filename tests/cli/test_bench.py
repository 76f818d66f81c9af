"""``sukima bench``."""

import itertools
import json

import pytest
from typer.testing import CliRunner

from sukima.base.errors import InputError
from sukima.cli.app import app
from sukima.workflow.bench import side_by_side

QUICK = ["bench", "--sizes", "64,4096", "--seconds", "0.01", "--no-compile", "--no-peers"]


def test_json_is_complete() -> None:
    done = CliRunner().invoke(app, [*QUICK, "--json"], catch_exceptions=False)
    result = json.loads(done.stdout)
    contenders = {"torch", "torch.mul(out=)", "torch.relu", "sukima", "sukima, out="}
    assert {(m["contender"], m["elements"]) for m in result["measured"]} == {
        (c, n) for c in contenders for n in (64, 4096)
    }
    assert all(m["ns_per_element"] > 0 for m in result["measured"])
    assert result["machine"]["torch"]


def test_table_has_every_contender() -> None:
    out = CliRunner().invoke(app, QUICK, catch_exceptions=False).stdout
    assert "sukima" in out
    assert "torch.mul(out=)" in out


@pytest.mark.parametrize("bad", ["", "a", "0", "-1", "4096,", "1.5"])
def test_sizes_rejected(bad: str) -> None:
    with pytest.raises(InputError, match="--sizes must be"):
        CliRunner().invoke(app, ["bench", "--sizes", bad], catch_exceptions=False)


def test_all_take_their_turn() -> None:
    order: list[str] = []
    times = side_by_side({name: lambda name=name: order.append(name) for name in "ab"}, seconds=0.001, rounds=2)  # type: ignore[misc]
    assert set(times) == {"a", "b"}
    switches = sum(x != y for x, y in itertools.pairwise(order))
    assert switches >= 3
