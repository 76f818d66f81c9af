"""Signals: small pure functions, each measuring one thing in a curve or a pair of curves."""
