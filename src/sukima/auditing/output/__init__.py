"""Findings as text: for people, for machines, for editors and code hosts."""
