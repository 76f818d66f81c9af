"""Why candidates are not trained as one model."""

__all__ = ["UnstackableError"]


class UnstackableError(Exception):
    """Why a model cannot be trained as a stack; the caller trains its members one after another instead."""
