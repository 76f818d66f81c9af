"""What learning rates by gradient takes for fixed, whatever the framework (Gal et al. 2017)."""

from __future__ import annotations

__all__ = ["LENGTH_SCALE", "SPEED"]

LENGTH_SCALE = 1e-2
"""Of the prior on the weights, as in the paper's experiments: small, so that the penalty on weights stays light."""

SPEED = 0.02
"""Step size of the rates' logits under Adam: they have a long way to go, and the weights' step size is too small."""
