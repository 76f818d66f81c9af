"""Which elements are kept: the mask law and its implementations. Knows numbers, not networks."""
