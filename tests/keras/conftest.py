"""A process has one backend of Keras: `test_backends` runs the other tests here once in a process for each.

``SUKIMA_KERAS_TESTS=1 KERAS_BACKEND=jax pytest tests/keras`` runs them directly.
"""

import os
import sys
from pathlib import Path

if os.environ.get("SUKIMA_KERAS_TESTS"):
    collect_ignore = ["test_backends.py"]
    # Only here: modules that these tests share are named like those of tests/torch.
    sys.path.insert(0, str(Path(__file__).parent / "contract"))
else:
    collect_ignore_glob = ["contract/*"]
