"""Does it really help? Paired differences and their intervals."""
