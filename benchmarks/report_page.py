"""How large the page of a large study is, and how long a browser takes to open it.

    python benchmarks/report_page.py

200 candidates of 100 epochs and three seeds each, 12 sites, their ladder, and a final comparison. Opening is measured
from navigation to the end of loading, script included, in headless Chromium; the median of 9. The limits: 3 MB, 1 s.
"""

import importlib.util
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from sukima.records.recipe import Recipe
from sukima.records.result import Arm, TuneResult
from sukima.records.site import Site
from sukima.reporting import write_report

HELPERS = Path(__file__).parents[1] / "tests" / "reporting"
CANDIDATES, EPOCHS, SEEDS, SITES, RUNS = 200, 100, 3, 12, 9


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, HELPERS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def study(examples: ModuleType) -> TuneResult:
    def candidate(index: int) -> Arm:
        seeds = [SEEDS * index + k for k in range(SEEDS)]
        arm = examples.arm(f"candidate {index}", Recipe(), seeds, floor=0.1, overfits=1.0, test=False)
        return replace(
            arm, trials=tuple(replace(t, history=examples.history(t.seed, epochs=EPOCHS)) for t in arm.trials)
        )

    sites = tuple(Site(name=f"layers.{index}.dropout", after="Linear(1024, 1024)") for index in range(SITES))
    return examples.tune_result(
        search=tuple(candidate(index) for index in range(CANDIDATES)),
        sites=sites,
        ladder=examples.ladder(["*", *(site.name for site in sites)]),
    )


def main() -> None:
    examples, browser_module = load("examples"), load("browser")
    result = study(examples)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        start = time.perf_counter()
        write_report(result, path)
        print(f"written in {1000 * (time.perf_counter() - start):.0f} ms")
        size = path.stat().st_size / 1e6
        print(f"size {size:.2f} MB, limit 3: {'pass' if size < 3 else 'short'}")
        if browser_module.CHROMIUM is None:
            print("no Chromium here: opening is not measured")
            return
        browser = browser_module.Browser()
        loaded = "performance.getEntriesByType('navigation')[0].loadEventEnd"
        times = [browser.open(path).evaluate(loaded) for _ in range(RUNS)]
        browser.close()
        took = statistics.median(times)
        print(f"opened in {took:.0f} ms (from {min(times):.0f} to {max(times):.0f}), limit 1000: "
              f"{'pass' if took < 1000 else 'short'}")  # fmt: skip


if __name__ == "__main__":
    main()
