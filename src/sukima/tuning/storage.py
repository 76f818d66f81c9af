"""Storages: what Optuna keeps a study in, opened so that a killed process leaves it whole."""

from __future__ import annotations

from typing import Any

__all__ = ["open_storage", "shown_storage"]


def open_storage(storage: Any) -> Any:
    """SQLite in a mode in which a small write is quick, and whole even if the process is killed in it; a journal, which
    Optuna does not open by a URL; whatever else it opens."""
    if isinstance(storage, str) and storage.startswith("journal:"):
        from sukima.tuning.journal import journal

        return journal(storage.removeprefix("journal:"))
    if not isinstance(storage, str) or not storage.startswith("sqlite:"):
        return storage
    import optuna
    from sqlalchemy import event

    opened = optuna.storages.RDBStorage(storage)

    def prepare(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    event.listen(opened.engine, "connect", prepare)
    opened.engine.dispose()  # connections made before have not been prepared
    return opened


def shown_storage(storage: Any) -> str:
    """A storage as it may be shown: without a password."""
    if storage is None:
        return ""
    if not isinstance(storage, str):
        return type(storage).__name__
    scheme, separator, rest = storage.partition("://")
    login, at, place = rest.rpartition("@")
    return f"{scheme}{separator}{login.partition(':')[0]}{at}{place}" if at else storage
