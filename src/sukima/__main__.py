"""``python -m sukima``."""

from sukima.cli import main

main()
