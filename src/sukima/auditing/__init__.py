"""Find what is wired wrong: mistakes with dropout and its kin, in source text, in live models and in motion."""
