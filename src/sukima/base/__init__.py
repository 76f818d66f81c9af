"""What every other package may use: errors, argument checks, optional imports, messages in two languages."""
