"""Engines run candidates on a task and give their histories back."""
