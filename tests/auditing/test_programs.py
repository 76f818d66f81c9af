"""Programs as people write them, with the findings that each must give and no others.

In ``programs/*.txt`` a line ``==== title`` begins a program; ``#! SK101`` marks a line where that finding is expected.
Errors and warnings must match exactly; advice must be there where it is marked.
"""

import re
from pathlib import Path

import pytest

from sukima.auditing.engine import audit_files

PROGRAMS = Path(__file__).parent / "programs"
MARK = re.compile(r"\s*#! (.*)$")


def programs() -> list[tuple[str, str]]:
    found = []
    for file in sorted(PROGRAMS.glob("*.txt")):
        for part in file.read_text(encoding="utf-8").split("==== ")[1:]:
            title, _, text = part.partition("\n")
            found.append((f"{file.stem}: {title}", text))
    return found


def split(marked: str) -> tuple[str, set[tuple[int, str]]]:
    lines, expected = [], set()
    for number, line in enumerate(marked.splitlines(), 1):
        if match := MARK.search(line):
            expected |= {(number, code) for code in match[1].split()}
        lines.append(MARK.sub("", line))
    return "\n".join(lines) + "\n", expected


@pytest.mark.parametrize(("title", "marked"), programs(), ids=[title for title, _ in programs()])
def test_program(title: str, marked: str, tmp_path: Path) -> None:
    text, expected = split(marked)
    path = tmp_path / "program.py"
    path.write_text(text, encoding="utf-8")
    found = {(f.line, f.code) for f in audit_files([path]).findings}
    assert {f for f in found if not f[1].startswith("SK3")} == {e for e in expected if not e[1].startswith("SK3")}
    assert expected <= found


def test_there_are_programs_enough() -> None:
    titles = [title for title, _ in programs()]
    assert len(titles) == len(set(titles)) >= 150
