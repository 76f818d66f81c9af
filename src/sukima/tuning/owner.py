"""Who works on a candidate, and whether that process is still alive."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

__all__ = ["is_alive", "this_process"]

_SILENCE = 600.0
"""Seconds without news after which a process on another machine is taken to be dead."""


def this_process() -> str:
    """What this process is called as an owner."""
    return f"{socket.gethostname()} {os.getpid()} {_started(os.getpid())}"


def is_alive(owner: str, seen: float) -> bool:
    """Whether the process of that name still works; ``seen`` is when it last said so."""
    try:
        host, process, started = owner.split(" ")
    except ValueError:
        return False
    if host != socket.gethostname() or os.name == "nt":  # where a signal, even 0, would be a Ctrl-C
        return time.time() - seen < _SILENCE
    if Path("/proc").is_dir():
        return bool(started) and _started(int(process)) == started
    try:
        os.kill(int(process), 0)
    except OSError:
        return False
    return True


def _started(process: int) -> str:
    """When a process began, so that another with the same number is not taken for it; empty if it is gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
