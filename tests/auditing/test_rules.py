"""Every rule: its example is found, its counter-example is clean, and it speaks both languages."""

import re
from pathlib import Path

import pytest

from sukima.auditing.engine import audit_files
from sukima.auditing.registry import all_rules, find_rule, selected_rules
from sukima.auditing.rule import Rule
from sukima.base.errors import InputError
from sukima.base.japanese import CATALOGUE

RULES = list(all_rules().values())
READ = [rule for rule in RULES if rule.source_checks or rule.view_checks]
WATCHED = [rule for rule in RULES if rule not in READ]


def by_code(rule: Rule) -> str:
    return rule.code


@pytest.mark.parametrize("rule", READ, ids=by_code)
def test_examples_in_source(rule: Rule, tmp_path: Path) -> None:
    for name, text in (("bad", rule.bad), ("good", rule.good)):
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    assert rule.code in {f.code for f in audit_files([tmp_path / "bad.py"]).findings}
    assert not audit_files([tmp_path / "good.py"]).findings


@pytest.mark.parametrize("rule", WATCHED, ids=by_code)
def test_examples_in_motion(rule: Rule) -> None:
    pytest.importorskip("torch")
    for text, expected in ((rule.bad, {rule.code}), (rule.good, set())):
        names: dict[str, object] = {}
        exec(re.sub(r"with (sukima.watch\(.*)\):\n", r"with \1, show=False) as watched:\n", text), names)
        assert {f.code for f in names["watched"].findings} == expected  # type: ignore[attr-defined]


@pytest.mark.parametrize("rule", RULES, ids=by_code)
def test_texts(rule: Rule) -> None:
    assert re.fullmatch(r"SK[123]\d\d", rule.code)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule.slug)
    for what in ("why", "remedy"):
        assert f"{rule.code}.{what}" in CATALOGUE
        assert rule.text(what).text("ja") != rule.text(what).text("en") == getattr(rule, what)


def test_codes_and_slugs_are_unique() -> None:
    assert len({rule.slug for rule in RULES}) == len(RULES)
    assert all(find_rule(rule.slug) is find_rule(rule.code.lower()) is rule for rule in RULES)


def test_selection_is_by_beginning() -> None:
    assert {r.code[:3] for r in selected_rules(("SK1",), ())} == {"SK1"}
    assert "SK101" not in {r.code for r in selected_rules((), ("SK10",))}
    with pytest.raises(InputError, match="SK999"):
        selected_rules(("SK999",))
