"""What must be so before a backend is loaded."""

import contextlib
import sys
from pathlib import Path

# Triton and TensorFlow both bring LLVM; where TensorFlow is loaded first, loading Triton (which torch's compiler does)
# ends the process.
with contextlib.suppress(ImportError):
    import triton  # noqa: F401

sys.path.insert(0, str(Path(__file__).parent))  # of what tests here share
