"""Sharded masks are slices of the whole tensor's; tested with real processes."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import sukima.torch as st
from sukima.base.errors import InputError
from sukima.masks import law
from sukima.masks.key import MaskKey

KEY = MaskKey(11, 3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    ("shape", "local", "offset"),
    [((6, 10), (3, 10), (3, 0)), ((6, 10), (6, 4), (0, 5)), ((4, 5, 6), (2, 3, 2), (1, 2, 4)), ((7,), (0,), (7,))],
)
def test_shard_is_a_slice(
    shape: tuple[int, ...], local: tuple[int, ...], offset: tuple[int, ...], dtype: torch.dtype
) -> None:
    whole = torch.randn(shape, dtype=dtype)
    part = tuple(slice(o, o + n) for o, n in zip(offset, local, strict=True))
    ours = st.dropout(whole[part], 0.4, key=KEY.shard(shape, local, offset))
    assert torch.equal(ours, st.dropout(whole, 0.4, key=KEY)[part])


def test_shard_of_a_tensor_too_large_to_hold() -> None:
    shard = KEY.shard((2**20, 2**20), (2, 3), (2**19, 2**20 - 3))
    first = 2**19 * 2**20 + 2**20 - 3
    kept = [law.keep(KEY, 0.5, 3, first + i * 2**20).tolist() for i in range(2)]
    assert (st.dropout(torch.ones(2, 3), 0.5, key=shard) != 0).tolist() == kept


@pytest.mark.parametrize(
    ("shape", "local", "offset"),
    [((6,), (3,), (4,)), ((6,), (3, 1), (0,)), ((6,), (-1,), (0,)), ((6.0,), (1,), (0,))],
)
def test_shard_that_does_not_fit(shape: tuple[int, ...], local: tuple[int, ...], offset: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="must lie within"):
        KEY.shard(shape, local, offset)


def test_input_of_another_shape() -> None:
    with pytest.raises(InputError, match="must have the shard's shape"):
        st.dropout(torch.ones(4), key=KEY.shard((6,), (3,), (0,)))


LAYERS: dict[str, tuple[Callable[..., torch.Tensor], tuple[int, ...]]] = {
    "alpha": (lambda x, **rest: st.alpha_dropout(x, 0.4, **rest), (4, 6)),
    "channel": (lambda x, **rest: st.dropout2d(x, 0.4, **rest), (4, 6, 2, 3)),
    "feature alpha": (lambda x, **rest: st.feature_alpha_dropout(x, 0.4, **rest), (4, 6, 3)),
    "path": (lambda x, **rest: st.drop_path(x, 0.4, **rest), (6, 4)),
    "whole path": (lambda x, **rest: st.drop_path(x, 0.4, per="batch", **rest), (6, 4)),
    "locked": (lambda x, **rest: st.locked_dropout(x, 0.4, **rest), (5, 4, 3)),
    "locked, batch first": (lambda x, **rest: st.locked_dropout(x, 0.4, batch_first=True, **rest), (4, 5, 3)),
    "shaped": (lambda x, **rest: st.shaped_dropout(x, 0.4, (None, 1, 3), **rest), (4, 5, 3)),
    "token": (lambda x, **rest: st.token_dropout(x, 0.4, **rest), (4, 5, 3)),
    "heads": (lambda x, **rest: st.head_dropout(x, 0.4, **rest), (4, 3, 5, 2)),
    "attention": (lambda x, **rest: st.attention_dropout(x, 0.4, **rest), (4, 3, 5, 2)),
    "weight": (lambda x, **rest: st.weight_dropout(x, 0.4, **rest), (6, 4)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_structures_shard_is_a_slice(name: str) -> None:
    layer, shape = LAYERS[name]
    whole = torch.randn(shape, dtype=torch.float64)
    expected = layer(whole, key=KEY)
    for dim, size in enumerate(shape):
        for begin, count in ((0, 1), (1, size - 1), (size - 1, 1)):
            local, offset = list(shape), [0] * len(shape)
            local[dim], offset[dim] = count, begin
            part = whole.narrow(dim, begin, count).requires_grad_()
            key = KEY.shard(shape, local, offset)
            ours = layer(part, key=key)
            assert torch.equal(ours, expected.narrow(dim, begin, count))
            assert torch.autograd.gradcheck(lambda v, key=key: layer(v, key=key), part)


@pytest.mark.parametrize("name", ["dropout", "channel", "locked"])
def test_shards_in_compiled_code_and_transforms(name: str) -> None:
    layer, shape = LAYERS.get(name, (lambda x, **rest: st.dropout(x, 0.4, **rest), (6, 5, 4)))
    whole = torch.randn(shape)
    local, offset = (shape[0] - 1, *shape[1:]), (1, *(0 for _ in shape[1:]))
    key, part = KEY.shard(shape, local, offset), whole[1:].clone().requires_grad_()
    expected = layer(whole, key=KEY)[1:]
    compiled = torch.compile(lambda v: layer(v, key=key), fullgraph=True, backend="aot_eager")
    result = compiled(part)
    assert torch.equal(result, expected)
    result.sum().backward()
    assert part.grad is not None
    assert torch.equal(part.grad != 0, expected != 0)
    many = torch.vmap(lambda v: layer(v, key=key), randomness="same")(torch.stack([whole[1:]] * 3))
    assert all(torch.equal(row, expected) for row in many)
    gradient = torch.func.grad(lambda v: layer(v, key=key).sum())(whole[1:])
    assert torch.equal(gradient, part.grad)
    rated = st.dropout(whole[1:], torch.tensor(0.4), key=key)
    assert torch.equal(rated, st.dropout(whole, 0.4, key=KEY)[1:])
    with pytest.raises(InputError, match="must have the shard's shape"):
        layer(whole, key=key)


def test_masks_that_are_made_as_a_whole() -> None:
    key = KEY.shard((8, 8), (4, 8), (0, 0))
    with pytest.raises(InputError, match="gaussian masks are made for whole tensors, not for shards"):
        st.gaussian_dropout(torch.ones(4, 8), 0.5, key=key)  # type: ignore[arg-type]


SCRIPT = """
import sys, torch, torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import distribute_tensor, Replicate, Shard, DTensor, Partial
from torch.distributed.fsdp import fully_shard, FullyShardedDataParallel
import sukima.torch as st
from sukima.masks.key import MaskKey
rank, size, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
torch.set_num_threads(1)
dist.init_process_group("gloo", init_method=f"file://{path}", rank=rank, world_size=size)
key = MaskKey(5)
torch.manual_seed(0)
x = torch.randn(8, 6, 10)
whole = st.dropout(x, 0.5, key=key)
mesh = init_device_mesh("cpu", (size,))
placements = [[Shard(0)], [Shard(1)], [Shard(2)], [Replicate()]]
if size == 4:
    square = init_device_mesh("cpu", (2, 2))
    placements += [[Shard(0), Shard(2)], [Shard(1), Replicate()], [Replicate(), Shard(0)], [Shard(0), Shard(0)]]
for placed in placements:
    shared = distribute_tensor(x, square if len(placed) == 2 else mesh, placed).requires_grad_()
    out = st.dropout(shared, 0.5, key=key)
    assert isinstance(out, DTensor) and list(out.placements) == placed
    assert torch.equal(out.full_tensor(), whole), placed
    out.sum().backward()
    assert torch.equal(shared.grad.full_tensor() != 0, whole != 0)
maps = torch.randn(4, 8, 6, 10)
layers = [
    lambda x: st.dropout2d(x, 0.4, key=key), lambda x: st.feature_alpha_dropout(x, 0.4, key=key),
    lambda x: st.drop_path(x, 0.4, key=key), lambda x: st.token_dropout(x, 0.4, key=key),
    lambda x: st.shaped_dropout(x, 0.4, (1, None, None, 1), key=key), lambda x: st.head_dropout(x, 0.4, key=key),
    lambda x: st.drop_block2d(x, 0.4, 3, key=key), lambda x: st.gaussian_dropout(x, 0.4, key=key),
    lambda x: st.alpha_dropout(x, 0.4, key=key), lambda x: st.dropout2d(x, torch.tensor(0.4), key=key),
]
for layer in layers:
    expected = layer(maps)
    for placed in ([Shard(0)], [Shard(1)], [Shard(2)], [Replicate()]):
        shared = distribute_tensor(maps, mesh, placed).requires_grad_()
        out = layer(shared)
        assert list(out.placements) == placed
        torch.testing.assert_close(out.full_tensor(), expected)
        out.sum().backward()
        leaf = maps.clone().requires_grad_()
        layer(leaf).sum().backward()
        torch.testing.assert_close(shared.grad.full_tensor(), leaf.grad)
steps = torch.randn(5, 8, 6)
locked = st.locked_dropout(distribute_tensor(steps, mesh, [Shard(1)]), 0.4, key=key)
assert torch.equal(locked.full_tensor(), st.locked_dropout(steps, 0.4, key=key))
for layer in (lambda x: st.corrupt(x, 0.4, "gaussian", key=key), lambda x: st.multi_sample_dropout(x, 2, 0.4, key=key)):
    try:
        layer(distribute_tensor(steps, mesh, [Shard(1)]))
        raise SystemExit("a shard was taken")
    except ValueError as error:
        assert "made for whole tensors" in str(error)
torch.manual_seed(3)
drawn = st.dropout(distribute_tensor(x, mesh, [Shard(0)]), 0.5)
torch.manual_seed(3)
assert torch.equal(drawn.full_tensor(), st.dropout(x, 0.5))

def both(v):
    return st.dropout2d(st.dropout(v, 0.5, key=key), 0.4, key=key)

compiled = torch.compile(both, fullgraph=True, backend="aot_eager")
for placed in ([Shard(0)], [Shard(2)]) if size == 2 else []:
    shared = distribute_tensor(maps, mesh, placed).requires_grad_()
    out = compiled(shared)
    assert torch.equal(out.full_tensor(), both(maps))
    out.sum().backward()
    assert torch.equal(shared.grad.full_tensor() != 0, both(maps) != 0)

partial = DTensor.from_local(x, mesh, [Partial()])
try:
    st.dropout(partial, 0.5, key=key)
    raise SystemExit("a partial tensor was taken")
except ValueError as error:
    assert "must be sharded or replicated" in str(error)

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(10, 10)
        self.drop = st.Dropout(0.5)
    def forward(self, x):
        return self.drop(self.lin(x) * 0 + 1)

def masks(model, replica):
    with st.keyed(seed=3, step=1, replica=replica):
        return model(x) != 0

torch.manual_seed(0)
net = Net()
plain = masks(net, 0)
wrapped = [nn.parallel.DistributedDataParallel(net), torch.compile(net, backend="eager"), fully_shard(Net())]
for model in wrapped:
    assert torch.equal(masks(model, 0), plain), type(model)
mine = masks(wrapped[0], rank)
everyone = [torch.empty_like(mine) for _ in range(size)]
dist.all_gather(everyone, mine)
assert all(not torch.equal(everyone[i], everyone[j]) for i in range(size) for j in range(i))

class Family(nn.Module):
    def __init__(self):
        super().__init__()
        self.maps = nn.Sequential(nn.Conv2d(1, 4, 3), st.Dropout2d(0.3), st.DropBlock2d(0.2, 3), st.AlphaDropout(0.2))
        self.path = st.DropPath(0.3)
        self.rows = nn.Sequential(st.DropConnect(32, 10, p=0.3), st.GaussianDropout(0.3), st.Dropout(0.2))
        self.steps = st.LSTM(10, 6, input_dropout=0.3, weight_dropout=0.3)
        self.locked = st.LockedDropout(0.3)
    def forward(self, x):
        maps = self.maps(x[:, None]).flatten(2)
        return self.locked(self.steps(self.rows(maps + self.path(maps)).transpose(0, 1))[0])

def step(model):
    with st.keyed(seed=3, step=1):
        out = model(x)
    out.square().mean().backward()
    grads = [p.grad.full_tensor() if isinstance(p.grad, DTensor) else p.grad for p in model.parameters()]
    return out, grads

def family():
    torch.manual_seed(1)
    return Family()

expected, grads = step(family())
for model in (nn.parallel.DistributedDataParallel(family()), fully_shard(family())):
    out, theirs = step(model)
    torch.testing.assert_close(out, expected)
    for a, b in zip(theirs, grads, strict=True):
        torch.testing.assert_close(a, b)
dist.destroy_process_group()
print("fine")
"""


@pytest.mark.parametrize("size", [2, 4])
def test_processes(size: int, tmp_path: Path) -> None:
    script = tmp_path / "rank.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(Path(st.__file__).parents[2]), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", str(script)]
    ranks = [
        subprocess.Popen(
            [*command, str(rank), str(size), str(tmp_path / "meet")],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for rank in range(size)
    ]  # fmt: skip
    for process in ranks:
        out, errors = process.communicate(timeout=240)
        assert "fine" in out, errors[-3000:]
