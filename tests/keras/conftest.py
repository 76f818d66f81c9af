"""A process has one backend of Keras: `test_backends` runs the other tests here once in a process for each.

``SUKIMA_KERAS_TESTS=1 KERAS_BACKEND=jax pytest tests/keras`` runs them directly.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

if os.environ.get("SUKIMA_KERAS_TESTS"):
    collect_ignore = ["test_backends.py"]
    # Only here: modules that these tests share are named like those of tests/torch.
    sys.path.insert(0, str(Path(__file__).parent / "contract"))
else:
    collect_ignore_glob = ["contract/*"]


@pytest.fixture
def environment_of(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """The environment of a process with a backend of Keras; what JAX compiled for one model serves the next."""
    cache = {
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "compiled"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    return lambda backend: {**os.environ, **cache, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
