"""The page in a real browser: no error, no request, and everything that moves."""

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sukima.base.messages import language
from sukima.masks.key import MaskKey, philox4x32
from sukima.masks.law import bits, keep, threshold
from sukima.records.recipe import Recipe
from sukima.reporting.document import comparison_document, diagnosis_document, tune_document
from sukima.reporting.html import write_html


@pytest.fixture(scope="module")
def browser(browser_module: ModuleType) -> Iterator[Any]:
    if browser_module.CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    if os.name != "posix":
        pytest.skip("the browser is spoken to through pipes as POSIX has them")
    browser = browser_module.Browser()
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def report(examples: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    with language("en"):
        write_html(tune_document(examples.tune_result()), path)
    return path


def shown_text(page: Any, selector: str) -> str:
    """What a reader sees there."""
    return str(page.evaluate(f"document.querySelector({json.dumps(selector)}).innerText"))


@pytest.mark.parametrize("width", [390, 1200])
@pytest.mark.parametrize("kind", ["tune", "compare", "diagnose"])
def test_quiet_and_within_the_window(browser: Any, examples: ModuleType, tmp_path: Path, kind: str, width: int) -> None:
    document = {
        "tune": lambda: tune_document(examples.tune_result()),
        "compare": lambda: comparison_document(examples.comparison(names=("none", "guideline", "tuned", "L1", "L2"))),
        "diagnose": lambda: diagnosis_document([(examples.verdict("a.csv"), examples.history(1))]),
    }[kind]()
    write_html(document, tmp_path / "page.html")
    page = browser.open(tmp_path / "page.html", width=width)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.requests() == [(tmp_path / "page.html").as_uri()]
    assert page.problems() == []


def test_hostile_names_do_not_run(browser: Any, examples: ModuleType, tmp_path: Path) -> None:
    name = "</script><img src=x onerror='document.title=\"ran\"'><script>document.title='ran'</script>{{script}}"
    result = examples.tune_result(task=name, model=name, environment={name: name})
    write_html(tune_document(result), tmp_path / "page.html")
    page = browser.open(tmp_path / "page.html")
    assert page.evaluate("document.title") != "ran"
    assert shown_text(page, "h1") == name
    assert page.problems() == []


def test_a_notebook_shows_the_page_in_a_frame(browser: Any, examples: ModuleType, tmp_path: Path) -> None:
    with language("en"):
        frame = examples.tune_result()._repr_html_()
    (tmp_path / "notebook.html").write_text(f"<!doctype html><title>notebook</title>{frame}", encoding="utf-8")
    page = browser.open(tmp_path / "notebook.html")
    assert page.evaluate("document.querySelector('iframe').getBoundingClientRect().height") == 640
    assert page.requests()[1:] in ([], ["about:srcdoc"])
    assert page.problems() == []


@pytest.mark.parametrize("script", [True, False])
def test_language_switch(browser: Any, report: Path, script: bool) -> None:
    page = browser.open(report, script=script)
    assert shown_text(page, ".answer") == "Yes, it helps"
    left, top, width, height = page.box("label:has(#language-ja)")
    place = {"x": left + width / 2, "y": top + height / 2, "button": "left", "clickCount": 1}
    page.mouse("mousePressed", **place)
    page.mouse("mouseReleased", **place)
    assert shown_text(page, ".answer") == "効果があります"
    displays = "[...document.querySelectorAll('figure.chart .label-x tspan')].map(e => getComputedStyle(e).display)"
    assert page.evaluate(displays)[:2] == ["none", "inline"]
    assert page.evaluate("document.documentElement.lang") == ("ja" if script else "en")


@pytest.mark.parametrize(("dark", "choice"), [(False, "dark"), (True, "light")])
def test_colour_switch(browser: Any, report: Path, dark: bool, choice: str) -> None:
    page = browser.open(report, dark=dark)
    background = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(background)
    page.evaluate(f"document.getElementById('theme-{choice}').click()")
    after = page.evaluate(background)
    assert {before, after} == {"rgb(251, 251, 250)", "rgb(20, 23, 26)"}
    page.evaluate("document.getElementById('theme-auto').click()")
    assert page.evaluate(background) == before


def hover(page: Any, share: float) -> str:
    """Point at the first chart, so far across its width; what the tip says."""
    left, top, width, height = page.box("figure.chart svg")
    page.mouse("mouseMoved", left + share * width, top + height / 2)
    assert not page.evaluate("document.getElementById('tip').hidden")
    return shown_text(page, "#tip")


def test_hover_reads_the_values_there(browser: Any, report: Path, examples: ModuleType) -> None:
    text = hover(browser.open(report), 0.5)
    epoch = int(text.splitlines()[0].split()[1])
    trials = examples.tune_result().comparison.arms[0].trials
    mean = sum(trial.history.validation_loss[epoch - 1] for trial in trials) / len(trials)
    assert 15 < epoch < 25
    assert f"{mean:.4g}" in text.replace("\n", " ")


def test_arrow_keys_read_along_the_curve(browser: Any, report: Path) -> None:
    page = browser.open(report)
    page.evaluate("document.querySelector('figure.chart svg').focus()")
    page.press("ArrowRight")
    first = shown_text(page, "#tip").splitlines()[0]
    page.press("ArrowRight")
    assert (first, shown_text(page, "#tip").splitlines()[0]) == ("epoch 1", "epoch 2")
    page.press("Escape")
    assert page.evaluate("document.getElementById('tip').hidden")


def test_legend_hides_a_curve(browser: Any, report: Path) -> None:
    page = browser.open(report)
    page.evaluate("document.querySelector('figure.chart .legend button').focus()")
    page.press("Enter")
    visible = "getComputedStyle(document.querySelector('figure.chart g[data-series=\"0\"]')).display"
    assert page.evaluate(visible) == "none"
    assert "training" not in hover(page, 0.5)
    page.evaluate("document.querySelector('figure.chart .legend button').click()")
    assert page.evaluate(visible) != "none"


def test_dragging_zooms_and_show_all_returns(browser: Any, report: Path) -> None:
    page = browser.open(report)
    path = "document.querySelector('figure.chart .mean').getAttribute('d')"
    before = page.evaluate(path)
    left, top, width, height = page.box("figure.chart svg")
    page.mouse("mousePressed", left + 0.4 * width, top + 0.3 * height, button="left", clickCount=1)
    page.mouse("mouseMoved", left + 0.7 * width, top + 0.6 * height, button="left")
    page.mouse("mouseReleased", left + 0.7 * width, top + 0.6 * height, button="left", clickCount=1)
    assert page.evaluate(path) != before
    page.evaluate("document.querySelector('figure.chart .reset').click()")
    assert page.evaluate(path) == before
    assert page.evaluate("document.querySelector('figure.chart .reset').hidden")


def test_script_draws_what_python_drew(browser: Any, report: Path) -> None:
    """At the static width, placing every element again changes nothing that can be seen."""
    numbers = """[...document.querySelectorAll('.plot path, .plot circle, .plot line')].map(e =>
        [...e.attributes].filter(a => 'd cx cy x1 x2 y1 y2'.split(' ').includes(a.name)).map(a => a.value).join(' '))"""
    still = browser.open(report, script=False).evaluate(numbers)
    page = browser.open(report)
    page.evaluate("document.querySelectorAll('.drawing').forEach(e => { e.style.width = '560px'; })")
    page.evaluate("new Promise(done => setTimeout(done, 100))")
    moved = page.evaluate(numbers)
    assert len(still) == len(moved) > 50
    for before, after in zip(still, moved, strict=True):
        first, second = (
            [float(v) for v in text.replace("M", " ").replace("L", " ").replace("Z", " ").split()]
            for text in (before, after)
        )
        assert first == pytest.approx(second, abs=0.25)


def test_tabs_show_the_recipe_in_each_language(browser: Any, report: Path) -> None:
    page = browser.open(report, script=False)
    seen = []
    for tab in ("PyTorch", "Keras", "TOML"):
        left, top, width, height = page.box(f".code label:nth-of-type({len(seen) + 1})")
        place = {"x": left + width / 2, "y": top + height / 2, "button": "left", "clickCount": 1}
        page.mouse("mousePressed", **place)
        page.mouse("mouseReleased", **place)
        seen.append(shown_text(page, ".code"))
        assert tab in seen[-1]
    assert Recipe.from_toml(seen[2].split("TOML")[1]) == Recipe(rates={"1": 0.5, "3": 0.3})
    assert "sukima.apply" in seen[0]


def test_mask_law_equals_python(browser: Any, report: Path) -> None:
    page = browser.open(report)
    draw = random.Random(0)
    word = lambda: draw.choice([0, 1, 0xFFFFFFFF, draw.getrandbits(32)])  # noqa: E731
    cases = [((word(), word(), word(), word()), (word(), word())) for _ in range(200)]
    found = page.evaluate(f"{json.dumps(cases)}.map(([counter, key]) => sukimaMasks.philox(counter, key))")
    assert [tuple(words) for words in found] == [philox4x32(*case) for case in cases]
    for seed, step, rate, size, offset in [
        (0, 0, 0.5, 64, 0),
        (42, 7, 0.3, 257, 13),
        (2**53 - 1, 199, 0.0, 9, 0),
        (5, 2**40, 1.0, 9, 1),
        (7, 3, 0.001, 5000, 2**33 + 5),
        (8, 1, 1 / 256, 100, 2**50 + 3),
    ]:
        script = (
            f"sukimaMasks.keep(sukimaMasks.foldIn(sukimaMasks.key({seed}), {step}), {threshold(rate)}, {bits(rate)},"
            f"{size}, {offset})"
        )
        assert page.evaluate(script) == keep(MaskKey(seed).fold_in(step), rate, size, offset).tolist()


def key_of(site: str, kind: str, seed: int, step: int) -> MaskKey:
    key = MaskKey(seed).fold_in(0).fold_in(site).fold_in(0).fold_in(0).fold_in(step).fold_in(0)
    return key if kind == "unit" else key.fold_in(kind)


def test_keys_are_those_of_training() -> None:
    torch = pytest.importorskip("torch")
    from sukima.torch import Dropout
    from sukima.torch.keyed import keyed

    layer = torch.nn.Sequential(torch.nn.Identity(), Dropout(0.4))
    with keyed(seed=5, step=7):
        out = layer(torch.ones(3, 50))
    assert (out.flatten() != 0).tolist() == keep(key_of("1", "unit", 5, 7), 0.4, 150).tolist()


@pytest.mark.parametrize("kind", ["unit", "channel"])
def test_network_shows_the_masks_of_its_key(browser: Any, examples: ModuleType, tmp_path: Path, kind: str) -> None:
    from sukima.records.site import Site

    sites = (Site(name="encoder.日本", kind=kind, after="Linear(64, 200)"),)  # type: ignore[arg-type]
    result = examples.tune_result(sites=sites, recipe=Recipe(rates={"encoder.日本": 0.4}))
    write_html(tune_document(result), tmp_path / "page.html")
    dots = "document.querySelector('.site .on').getAttribute('d')"
    still = browser.open(tmp_path / "page.html", script=False).evaluate(dots)
    page = browser.open(tmp_path / "page.html")
    assert page.evaluate(dots) == still
    change = "(f => {{ f.seed.value = {}; f.row.value = {}; f.step.value = {}; f.dispatchEvent(new Event('input')); }})"
    for seed, row, step in [(0, 0, 0), (3, 0, 17), (9, 5, 199)]:
        page.evaluate(change.format(seed, row, step) + "(document.querySelector('.controls'))")
        kept = keep(key_of("encoder.日本", kind, seed, step), 0.4, 200, 200 * row)
        expected = "".join(f"M{i % 64 * 10 + 5} {i // 64 * 10 + 5}h0" for i in range(200) if kept[i])
        assert page.evaluate(dots) == expected
        assert shown_text(page, ".share") == f"{kept.sum()} / 200"


def test_keyboard_reaches_everything(browser: Any, report: Path) -> None:
    page = browser.open(report)
    reached = set()
    for _ in range(80):
        page.press("Tab")
        reached.add(page.evaluate("document.activeElement.tagName + '.' + (document.activeElement.name || '')"))
    assert {"A.", "BUTTON.", "svg.", "INPUT.language", "INPUT.theme", "INPUT.step", "PRE."} <= reached
