"""The page as text: self-contained, in two languages, and nothing from a user becomes markup."""

import html.parser
import json
import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sukima.base.messages import language
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.records.result import Comparison, TuneResult
from sukima.records.site import Site
from sukima.records.verdict import Verdict
from sukima.reporting.blocks import Document, Paragraph, Section
from sukima.reporting.document import comparison_document, diagnosis_document, tune_document
from sukima.reporting.html import embedded_json, page_html
from sukima.reporting.text import visible

HOSTILE = [
    "<script>bad()</script>",
    "\"><img src=x onerror=bad()>",
    "</script><script>bad()</script>",
    "'; bad(); '",
    "{{script}} {{data}} ${bad()}",
    "a\x00b\x07c\x1b[31m\x7f\x9b",
    "safe\u202egpj.exe\u2066\u200f",
    "עברית ثلاثة",
    "🧪👩‍🔬🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "line\nbreak\ttab\r",
    "\ud800 lone",
    "&lt;b&gt; &amp;",
    "-->]]>",
    "",
    "x" * 3000,
]  # fmt: skip


class Reader(html.parser.HTMLParser):
    """Every element with its attributes, and the text outside scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside not in ("script", "style"):
            self.text += data


def hostile_result(examples: ModuleType, name: str) -> TuneResult:
    """A result in which everything that a user can name is called ``name``."""
    result = examples.tune_result()
    sites = (Site(name=name, after=name, exists=False), Site(name="3", after="Linear(4, 5)"))
    recipe = Recipe(rates={name: 0.5, "3": 0.3})
    compared = result.comparison
    arms = (compared.arms[0], replace(compared.arms[1], name=name), replace(compared.arms[2], recipe=recipe))
    return replace(
        result,
        task=name,
        model=name,
        sites=sites,
        recipe=recipe,
        ladder=tuple(examples.ladder(("*", name))),
        baseline=replace(result.baseline, source=name),
        environment={name: name},
        comparison=replace(
            compared,
            task=name,
            metric=name,
            arms=arms,
            differences={name: compared.differences["guideline"], "tuned": compared.differences["tuned"]},
            environment={name: name},
        ),
    )


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_names_show_literally_and_never_run(examples: ModuleType, name: str) -> None:
    harmless = Reader(page_html(tune_document(hostile_result(examples, "name"))))
    page = page_html(tune_document(hostile_result(examples, name)))
    page.encode("utf-8")
    found = Reader(page)
    assert {tag for tag, _ in found.tags} <= {tag for tag, _ in harmless.tags}
    assert len([tag for tag, _ in found.tags if tag == "script"]) == 2
    assert not [key for _, attributes in found.tags for key in attributes if key.startswith("on")]
    assert visible(name) in found.text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u200e\u200f]", page)


@given(st.text())
def test_any_text_is_shown_as_it_is(text: str) -> None:
    document = Document(text, text, (Section("one", text, (Paragraph(text),)),))
    assert Reader(page_html(document)).text.count(visible(text)) >= 3


@given(
    st.recursive(
        st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_embedded_data_cannot_end_its_element(value: object) -> None:
    text = embedded_json(value)
    assert not set(text) & set("<>&\u2028\u2029")
    assert json.loads(text) == value


def unfinished(comparison: Comparison) -> Comparison:
    """As after Ctrl-C before the first run had ended."""
    arms = tuple(replace(arm, trials=()) for arm in comparison.arms)
    return replace(comparison, arms=arms, differences={}, verdicts={}, complete=False)


def documents(examples: ModuleType) -> list[Document]:
    judged = [
        (examples.verdict("run.csv"), examples.history(1)),
        (examples.verdict("", "unclear"), History(train_loss=[1.0])),
    ]
    return [
        tune_document(examples.tune_result()),
        tune_document(examples.tune_result(0.0)),
        tune_document(examples.tune_result(recipe=Recipe())),
        tune_document(examples.tune_result(comparison=None, complete=False, baseline=None, ladder=(), sites=())),
        comparison_document(examples.comparison()),
        comparison_document(examples.comparison(-0.05)),
        comparison_document(unfinished(examples.comparison())),
        diagnosis_document(judged),
    ]


@pytest.mark.parametrize("which", range(8))
def test_self_contained_and_in_both_languages(examples: ModuleType, which: int) -> None:
    document = documents(examples)[which]
    with language("ja"):
        page = page_html(document)
    found = Reader(page)
    assert page.startswith('<!doctype html>\n<html lang="ja">')
    addresses = [a[key] for _, a in found.tags for key in ("src", "href", "data", "action") if a.get(key)]
    assert all(str(address).startswith(("#", "data:")) for address in addresses)
    assert not re.search(r"url\(\s*[^#)]|@import|https?://(?!www\.w3\.org/2000/svg)", page)
    languages = [a["lang"] for tag, a in found.tags if tag in ("span", "tspan") and "lang" in a]
    assert languages.count("en") == languages.count("ja") > 20
    identifiers = [a["id"] for _, a in found.tags if "id" in a]
    assert len(set(identifiers)) == len(identifiers)
    assert len(page.encode()) < 1_000_000


def test_verdict_comes_first_and_is_plain(examples: ModuleType) -> None:
    with language("en"):
        better, same, worse = (page_html(tune_document(examples.tune_result(gain))) for gain in (0.03, 0.0, -0.05))
    assert [re.search(r'class="answer"><span lang="en">(.*?)<', page)[1] for page in (better, same, worse)] == [
        "Yes, it helps",
        "No difference",
        "No, it does harm",
    ]  # type: ignore[index]


def test_curves_that_stop_or_break_are_drawn(examples: ModuleType) -> None:
    nan = float("nan")
    history = History(train_loss=[1.0, nan, 0.5], validation_loss=[2.0, float("inf")], status="diverged")
    page = page_html(diagnosis_document([(Verdict("diverged"), history)]))
    data = json.loads(re.search(r'id="data">(.*?)</script>', page)[1])  # type: ignore[index]
    assert next(iter(data["charts"].values()))["series"][0]["mean"] == [1.0, None, 0.5]
    assert "nan" not in re.sub(r"<script>.*", "", page.split("<svg", 1)[1], flags=re.DOTALL)


def test_page_of_a_large_study_is_small(examples: ModuleType, tmp_path: Path) -> None:
    search = tuple(examples.arm(f"candidate {i}", Recipe(), [i], floor=0.1, overfits=1, test=False) for i in range(200))
    sites = tuple(Site(name=f"layers.{i}.dropout", after=f"Linear({i}, 4096)") for i in range(60))
    result = examples.tune_result(
        search=search, sites=sites, ladder=examples.ladder(["*", *(site.name for site in sites)])
    )
    assert len(page_html(tune_document(result)).encode()) < 3_000_000
