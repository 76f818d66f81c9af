"""Helpers that tests of the torch side share."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
