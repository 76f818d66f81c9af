"""A process has one backend of Keras: `test_backends` runs the other tests here once in a process for each.

``KERAS_BACKEND=jax pytest tests/keras`` runs them directly.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

if os.environ.get("KERAS_BACKEND"):
    collect_ignore = ["test_backends.py"]
else:
    collect_ignore_glob = ["contract/*"]
