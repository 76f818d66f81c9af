"""What the verbs do from end to end."""
