"""``python -m sukima.cli``."""

from sukima.cli import main

main()
