"""Every dropout of the process on our kernels, with torch's semantics."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

import sukima.torch as st
from sukima.masks import law
from sukima.masks.key import MaskKey
from sukima.torch import kernels
from sukima.torch.accelerate import Acceleration
from sukima.torch.keys import draw_key

N = 4096


@pytest.fixture
def on() -> Iterator[Acceleration]:
    with st.accelerate() as handle:
        yield handle


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the tensors that reached our kernels."""
    sizes: list[int] = []
    for name in ("apply_line", "apply_layout", "apply", "apply_over"):
        original = getattr(kernels.cpu, name)

        def watched(*arguments: object, original: object = original) -> object:
            sizes.append(1)
            return original(*arguments)  # type: ignore[operator]

        monkeypatch.setattr(kernels.cpu, name, watched)
    return sizes


def test_dropout_is_the_law(on: Acceleration) -> None:
    x = torch.randn(N)
    torch.manual_seed(5)
    key = draw_key()
    torch.manual_seed(5)
    y = F.dropout(x, 0.3)
    kept = torch.from_numpy(law.keep(key, 0.3, N))
    assert torch.equal(y, torch.where(kept, x * torch.tensor(law.scale(0.3), dtype=torch.float32), 0.0))


MODULES = {
    "dropout": (lambda: nn.Dropout(0.5), (8, N)),
    "dropout1d": (lambda: nn.Dropout1d(0.5), (16, 32, 16)),
    "dropout2d": (lambda: nn.Dropout2d(0.5), (16, 16, 8, 8)),
    "dropout3d": (lambda: nn.Dropout3d(0.5), (8, 16, 4, 4, 4)),
    "alpha": (lambda: nn.AlphaDropout(0.5), (8, N)),
    "feature alpha": (lambda: nn.FeatureAlphaDropout(0.5), (16, 32, 16)),
    "in place": (lambda: nn.Dropout(0.5, inplace=True), (8, N)),
    "transformer": (lambda: nn.TransformerEncoderLayer(32, 4, 64, 0.5, batch_first=True), (8, 16, 32)),
    "lstm": (lambda: nn.LSTM(32, 32, 2, dropout=0.5, batch_first=True), (8, 16, 32)),
    "gru": (lambda: nn.GRU(32, 32, 2, dropout=0.5, batch_first=True), (8, 16, 32)),
}


@pytest.mark.parametrize("name", MODULES)
def test_modules_are_served_and_reproducible(name: str, served: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    with st.accelerate():
        make, shape = MODULES[name]
        module, x = make(), torch.randn(shape)

        def run(mode: bool = True) -> tuple[torch.Tensor, torch.Tensor]:
            torch.manual_seed(1)
            inputs = x.clone().requires_grad_()
            out = module.train(mode)(inputs * 1)
            out = out[0] if isinstance(out, tuple) else out
            out.pow(2).sum().backward()
            assert inputs.grad is not None
            return out.detach(), inputs.grad

        (first, gradient), (second, again) = run(), run()
        assert served
        assert torch.equal(first, second)
        assert torch.equal(gradient, again)
        assert not torch.equal(run(mode=False)[0], first)


def test_attention_drops_its_weights(on: Acceleration, served: list[int]) -> None:
    q = torch.randn(2, 4, 32, 16, requires_grad=True)
    F.scaled_dot_product_attention(q, q, q, dropout_p=0.5).sum().backward()
    assert served


def test_off_gives_torchs_masks_back() -> None:
    x = torch.ones(N)
    torch.manual_seed(0)
    before = F.dropout(x)
    handle, twice = st.accelerate(), st.accelerate()
    torch.manual_seed(0)
    assert not torch.equal(F.dropout(x), before)
    handle.off()
    handle.off()
    torch.manual_seed(0)
    assert not torch.equal(F.dropout(x), before)
    twice.off()
    torch.manual_seed(0)
    assert torch.equal(F.dropout(x), before)


@pytest.mark.parametrize("reentrant", [True, False])
def test_activation_checkpointing_recomputes_the_mask(on: Acceleration, reentrant: bool) -> None:
    x = torch.randn(N, requires_grad=True)
    outs = []

    def block(v: torch.Tensor) -> torch.Tensor:
        out = F.dropout(v * 2, 0.5)
        outs.append(out.detach())
        return out * v

    checkpoint(block, x, use_reentrant=reentrant).sum().backward()
    assert len(outs) == 2
    assert torch.equal(*outs)


def test_fork_rng_inference_mode_and_autocast(on: Acceleration) -> None:
    x = torch.ones(N)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        first = F.dropout(x)
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(3)
        assert torch.equal(F.dropout(x), first)
    with torch.autocast("cpu", torch.bfloat16):
        out = F.dropout(nn.Linear(N, N // 4)(x))
    assert out.dtype == torch.bfloat16


@pytest.mark.parametrize("x", [torch.empty(0), torch.ones(()), torch.empty(3, 0)])
def test_empty_and_scalar(on: Acceleration, x: torch.Tensor) -> None:
    assert F.dropout(x).shape == x.shape
    assert F.dropout(x, 0.0).shape == x.shape


def test_errors_are_torchs(on: Acceleration) -> None:
    with pytest.raises(ValueError, match="dropout probability"):
        F.dropout(torch.ones(N), 1.5)
    with pytest.raises(RuntimeError, match="dropout probability"):
        torch.dropout(torch.ones(N), 1.5, True)
    with pytest.raises(RuntimeError):
        F.dropout(torch.ones(N, dtype=torch.int64))
    with pytest.raises(RuntimeError, match="leaf"):
        F.dropout(torch.ones(N, requires_grad=True), inplace=True)


def test_complex_goes_to_torch(on: Acceleration) -> None:
    with pytest.raises(NotImplementedError, match="bernoulli"):
        F.dropout(torch.ones(N, dtype=torch.complex64))


def test_alpha_keeps_mean_and_variance(on: Acceleration) -> None:
    torch.manual_seed(0)
    y = F.alpha_dropout(torch.randn(200_000), 0.3, training=True)
    assert abs(y.mean().item()) < 0.02
    assert abs(y.var().item() - 1) < 0.03


def test_transforms_are_correct(on: Acceleration) -> None:
    x = torch.ones(4, N)
    same = torch.func.vmap(F.dropout, randomness="same")(x)
    different = torch.func.vmap(F.dropout, randomness="different")(x)
    assert torch.equal(same[0], same[1])
    assert not torch.equal(different[0], different[1])
    grad = torch.func.grad(lambda v: F.dropout(v).sum())(x)
    assert set(grad.unique().tolist()) == {0.0, 2.0}


def test_threads(on: Acceleration) -> None:
    kept: list[float] = []

    def run() -> None:
        for _ in range(20):
            x = torch.ones(200_000, requires_grad=True)
            F.dropout(x, 0.25).sum().backward()
            assert x.grad is not None
            kept.append((x.grad != 0).float().mean().item())

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kept) == 80
    assert all(abs(share - 0.75) < 0.01 for share in kept)


def test_nothing_an_element_is_saved(on: Acceleration) -> None:
    saved: list[int] = []

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        saved.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        F.dropout(torch.randn(N, requires_grad=True))
        st.dropout(torch.randn(N, requires_grad=True), key=MaskKey(1))
    assert sum(saved) == 0


def test_the_compiler_is_not_loaded_with_us() -> None:
    code = "import sys, sukima.torch; print('torch._dynamo' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(Path(st.__file__).parents[2])}
    assert subprocess.check_output([sys.executable, "-c", code], env=environment, text=True) == "False\n"


COMPILED = """
import sys, torch
import torch.nn.functional as F
torch._dynamo.config.suppress_errors = False
world, before_or_after, added = sys.argv[1:]
added = int(added)
def function(x):
    return F.dropout(x, 0.5) + added
def mask(f):
    torch.manual_seed(7)
    x = torch.ones(4096, requires_grad=True)
    y = f(x)
    y.sum().backward()
    assert torch.equal(y.detach(), x.grad + added)
    return x.grad
compiled = torch.compile(function, fullgraph=True)
if world == "torch":
    result = mask(compiled)
    assert "sukima" not in sys.modules
else:
    if before_or_after == "before":
        plain = mask(compiled)
    import sukima.torch as st
    with st.accelerate():
        ours = mask(compiled)
        assert torch.equal(ours, mask(function)), "compiled and eager differ"
        if before_or_after == "before":
            assert not torch.equal(plain, ours)
    result = mask(compiled)
    assert not torch.equal(result, ours), "still accelerated after off()"
print(int(result.sum()))
"""


def test_compiled_worlds_do_not_mix(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(COMPILED)
    environment = {
        **os.environ,
        "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "cache"),
        "PYTHONPATH": str(Path(st.__file__).parents[2]),
    }
    for added, order in (("1", ("torch", "ours")), ("2", ("ours", "torch"))):  # what is added makes it a new graph
        sums = []
        for world, when in [(order[0], "after"), (order[1], "before")]:
            command = [sys.executable, str(script), world, when, added]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr[-2000:]
            sums.append(done.stdout)
        assert len(set(sums)) == 1  # the part without acceleration is torch's in every process
