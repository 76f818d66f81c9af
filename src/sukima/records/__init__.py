"""Plain data with their file formats; no framework."""
