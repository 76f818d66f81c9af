"""Dropout for JAX, for Flax, Equinox and plain functions: one function, on the mask law."""

from sukima.jax.dropout import dropout as dropout
