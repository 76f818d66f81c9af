"""Results of single runs, kept in a file, for scripts that measure what a comparison does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from common import HERE


def cached(name: str, key: list[Any], work: Callable[[], Any]) -> Any:
    """What ``work`` gave for this key: from the file of finished runs, or done now and kept."""
    path = HERE / f"{name}.cached.runs.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    known = {json.dumps(entry["key"]): entry["result"] for entry in map(json.loads, lines)}
    wanted = json.dumps(key)
    if wanted not in known:
        known[wanted] = work()
        with path.open("a") as file:
            file.write(json.dumps({"key": key, "result": known[wanted]}) + "\n")
    return known[wanted]
