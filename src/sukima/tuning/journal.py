"""Optuna's journal, whole after a write that was cut short.

Optuna appends a line for each change. A disk that is full, or a process that is killed in a write, leaves half a line,
and Optuna reads nothing after the next line has been joined to it. Here whoever writes next first takes the half away.
"""

from __future__ import annotations

from pathlib import Path

from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock

__all__ = ["journal"]


def journal(path: str) -> JournalStorage:
    """The storage in this file."""
    return JournalStorage(JournalFileBackend(path, lock_obj=_MendingLock(path)))


class _MendingLock(JournalFileSymlinkLock):
    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._path = Path(path)

    def acquire(self) -> bool:
        """Taken before each write."""
        taken = super().acquire()
        if taken:
            self._mend()
        return taken

    def _mend(self) -> None:
        with self._path.open("rb+") as file:
            if size := file.seek(0, 2):
                file.seek(size - 1)
                if file.read(1) != b"\n":
                    file.seek(0)
                    file.truncate(file.read().rfind(b"\n") + 1)
