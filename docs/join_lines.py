"""Join wrapped lines of Japanese pages: a line break between Japanese characters would show as a space."""

from __future__ import annotations

import re
from typing import Any

_BREAK = re.compile(r"(?<=[^\x00-\x7f])\n *(?=[^\x00-\x7f\s])")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """The text of a page before it is rendered."""
    if not page.file.src_path.endswith(".ja.md"):
        return markdown
    parts = re.split(r"(^ *```.*?^ *```)", markdown, flags=re.DOTALL | re.MULTILINE)
    return "".join(part if part.lstrip().startswith("```") else _BREAK.sub("", part) for part in parts)
