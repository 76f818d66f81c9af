"""What must be so before a backend is loaded."""

import contextlib

# Triton and TensorFlow both bring LLVM; where TensorFlow is loaded first, loading Triton (which torch's compiler does)
# ends the process.
with contextlib.suppress(ImportError):
    import triton  # noqa: F401
