"""Texts of the layers for Keras."""

TEXTS: dict[str, str] = {}
