"""From a file on disk to a syntax tree: encodings, notebooks, and files that cannot be read."""

from __future__ import annotations

import ast
import io
import re
import stat
import tokenize
import warnings
from dataclasses import dataclass, field
from pathlib import Path

from sukima.auditing.source.notebooks import notebook_code
from sukima.base.messages import Message, say

__all__ = ["LINE_END", "SourceText", "UnreadableError", "parse", "read"]

_LARGEST = 20_000_000
# What Python's parser takes for the end of a line; str.splitlines() knows more.
LINE_END = re.compile(r"\r\n|\r|\n")


class UnreadableError(Exception):
    """A file that audit passes over, with the reason."""

    def __init__(self, reason: Message) -> None:
        super().__init__(reason.text("en"))
        self.reason = reason


@dataclass
class SourceText:
    """The Python text of a file. For a notebook, ``places`` gives the file's own line for each line of code."""

    path: str
    text: str
    note: Message | None = None
    places: list[int] | None = None
    lines: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.lines = LINE_END.split(self.text) if "\r" in self.text else self.text.split("\n")

    def file_line(self, line: int) -> int:
        """The line in the file as it lies on disk."""
        if self.places is None:
            return line
        return self.places[min(line, len(self.places)) - 1] if self.places else line


def read(path: Path, shown: str) -> SourceText:
    """Read a script or a notebook; raise `UnreadableError` with a reason for anything else that comes."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableError(say("skipped: not a regular file"))
        if status.st_size > _LARGEST:
            raise UnreadableError(say("skipped: larger than {limit} MB", limit=_LARGEST // 1_000_000))
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableError(say("cannot be read: {reason}", reason=error.strerror or str(error))) from None
    text, note = _decode(data)
    if path.suffix == ".ipynb":
        found = notebook_code(text)
        if found is None:
            raise UnreadableError(say("not a notebook that can be read"))
        code, places, left_out = found
        if left_out:
            note = (
                say("one cell is not valid Python 3; skipped")
                if left_out == 1
                else say("{count} cells are not valid Python 3; skipped", count=left_out)
            )
        return SourceText(shown, code, note, places)
    return SourceText(shown, text, note)


def _decode(data: bytes) -> tuple[str, Message | None]:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return data.decode(encoding).removeprefix("\ufeff"), None
    except (SyntaxError, UnicodeDecodeError, LookupError):
        return data.decode("latin-1"), say("not valid in its declared encoding; read as Latin-1")


def parse(source: SourceText) -> ast.Module:
    """The syntax tree, or `UnreadableError` for a text that this Python does not understand."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source.text)
    except SyntaxError as error:
        where = source.file_line(error.lineno) if error.lineno else 1
        raise UnreadableError(say("not valid Python 3 (line {line}); skipped", line=where)) from None
    except (ValueError, RecursionError, MemoryError):
        raise UnreadableError(say("cannot be parsed; skipped")) from None
