"""The rules, one a file: explanation, bad and good example, fix, logic."""
