"""Searching for the recipe that generalises best."""
