"""The pictures of the report in the README, in both languages, from a result that tune wrote.

    sukima tune -o result.json
    python docs/pictures.py result.json

Needs Chromium. The page is shown from its top to its first row of curves.
"""

import base64
import importlib.util
import sys
import tempfile
from pathlib import Path

from sukima.records.saved import load_result
from sukima.reporting import write_report

ROOT = Path(__file__).parents[1]
PICTURES = {"en": ROOT / "docs/images/report.png", "ja": ROOT / "docs/images/report.ja.png"}


def main(result: str) -> None:
    """Draw the page, open it, and take both pictures."""
    spec = importlib.util.spec_from_file_location("browser", ROOT / "tests/reporting/browser.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    browser = module.Browser()
    with tempfile.TemporaryDirectory() as folder:
        page_path = write_report(load_result(result), Path(folder) / "report.html")
        for language, picture in PICTURES.items():
            page = browser.open(page_path, width=1200)
            page.evaluate(f"document.getElementById('language-{language}').click()")
            page.evaluate("new Promise(done => setTimeout(done, 200))")
            bottom = page.evaluate("document.querySelector('#curves .panels').getBoundingClientRect().bottom")
            part = {"x": 0, "y": 0, "width": 1200, "height": bottom + 10, "scale": 1}
            shot = page.call("Page.captureScreenshot", captureBeyondViewport=True, format="png", clip=part)
            picture.write_bytes(base64.b64decode(shot["data"]))
    browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
