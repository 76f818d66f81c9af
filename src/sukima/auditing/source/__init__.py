"""Reading source text: files, names, classes, and what flows where. Nothing that is read is ever executed."""
