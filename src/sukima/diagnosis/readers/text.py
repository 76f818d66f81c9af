"""A file's text, read within bounds."""

from __future__ import annotations

import codecs
import os
import re
import stat
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TextIO

from sukima.base.errors import InputError
from sukima.base.messages import Message, say

__all__ = [
    "MOST_BYTES",
    "bounded_lines",
    "check_regular",
    "clean_name",
    "decode",
    "encoding_of",
    "head_of",
    "read_bounded",
]

LONGEST_LINE = 2**20
_DRAWN = re.compile(r"\x1b\[[0-9;]*[mK]|\x08+")
MOST_BYTES = 32 * 2**20
"""Most bytes that are held in memory at once; formats that are read line by line may be longer."""


def clean_name(name: object, longest: int = 80) -> str:
    """A name from a file, safe to print: on one line, control characters as escapes, not too long."""
    text = str(name)
    text = text if len(text) <= longest else text[: longest - 1] + "…"
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def check_regular(path: Path) -> os.stat_result:
    """Raise ``InputError`` unless ``path`` is a regular file that can be read (a pipe or device may never end)."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError("{path}: cannot be read ({why})", path=clean_name(path, 200), why=why) from None
    if not stat.S_ISREG(status.st_mode):
        raise InputError("{path}: not a regular file", path=clean_name(path, 200))
    return status


def head_of(path: Path, count: int = 65536) -> bytes:
    """The first bytes of a file, by which its format is recognised."""
    check_regular(path)
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise InputError(
            "{path}: cannot be read ({why})", path=clean_name(path, 200), why=error.strerror or str(error)
        ) from None


def read_bounded(path: Path) -> str:
    """The whole text (UTF-8, or UTF-16 with a byte-order mark); raises ``InputError`` where it is too long for that."""
    size = check_regular(path).st_size
    if size > MOST_BYTES:
        raise InputError(
            "{path}: {size} MB are too many for this format, at most {most} MB",
            path=clean_name(path, 200),
            size=size // 2**20,
            most=MOST_BYTES // 2**20,
        )
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    return decode(data)


def encoding_of(head: bytes) -> str:
    """The encoding that a byte-order mark tells; else UTF-8; else what Japanese spreadsheets write."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    return "utf-8-sig" if _is(head, "utf-8") or not _is(head, "cp932") else "cp932"


def _is(head: bytes, encoding: str) -> bool:
    """Whether the bytes are sound in that encoding, but for a character cut at the end."""
    try:
        codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def decode(data: bytes) -> str:
    """Text from bytes; bytes that are not text become the replacement character, so that the rest can be read."""
    return _plain(data.decode(encoding_of(data), errors="replace"))


def _plain(text: str) -> str:
    """The text without the colours and steps back of a terminal, which stand around numbers in logs."""
    return _DRAWN.sub("", text) if "\x1b[" in text or "\b" in text else text


def bounded_lines(file: TextIO, notes: list[Message]) -> Iterator[str]:
    """The lines, each of bounded length: a file may claim to be one line of many gigabytes."""
    return chain.from_iterable(_blocks(file, notes))


def _blocks(file: TextIO, notes: list[Message]) -> Iterator[list[str]]:
    """The lines of each block of text, so that no call is made for a line."""
    rest = ""
    while block := file.read(LONGEST_LINE):
        lines = _plain(rest + block).split("\n")
        rest = lines.pop()
        yield lines
        if len(rest) > LONGEST_LINE:
            notes.append(
                say("a line is longer than {count} characters; it and what follows are left out", count=LONGEST_LINE)
            )
            return
    if rest:
        yield [rest]
