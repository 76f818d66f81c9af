"""Many candidates trained as one model."""
