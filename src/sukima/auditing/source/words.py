"""Long lists of names, written as one text."""

__all__ = ["words"]


def words(text: str) -> tuple[str, ...]:
    """The names in a text, which may go over several lines."""
    return tuple(text.split())
