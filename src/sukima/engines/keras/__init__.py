"""Keras: one run on a task with a Keras model, and candidates one after another."""
