"""Readers of live models, one a framework: each gives views that the rules understand."""
