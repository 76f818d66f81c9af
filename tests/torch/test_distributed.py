"""Sharded masks are slices of the whole tensor's; tested with real processes."""

import os
import subprocess
import sys
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
