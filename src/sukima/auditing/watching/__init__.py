"""What only shows in motion: observers of each framework, and what they saw, judged."""
