"""Masks that do not depend on the order of execution."""

import pytest
import torch
import torch._dynamo.testing
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

import sukima.torch as st
from sukima.base.errors import InputError
from sukima.masks import law
from sukima.masks.key import MaskKey
from sukima.torch.keyed import canonical

N = 512


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.drop = st.Dropout(0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return st.dropout(self.drop(x), 0.25)


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = Block()
        self.second = Block()

    def forward(self, x: torch.Tensor, swapped: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
        if swapped:
            second = self.second(x)
            return self.first(x), second
        return self.first(x), self.second(x)


def run(model: nn.Module, step: int | torch.Tensor = 0, **options: int) -> list[torch.Tensor]:
    with st.keyed(seed=4, step=step, **options):
        return list(model(torch.ones(N)))


def test_key_is_as_documented() -> None:
    model = nn.Sequential(st.Dropout(0.5))
    with st.keyed(seed=4, step=9, microbatch=2):
        y = model(torch.ones(N))
    key = MaskKey(4).fold_in(0).fold_in("0").fold_in(0).fold_in(0).fold_in(9).fold_in(2)
    assert torch.equal(y != 0, torch.from_numpy(law.keep(key, 0.5, N)))


def test_order_does_not_matter_and_everything_else_does() -> None:
    model = Model()
    plain = run(model)
    with st.keyed(seed=4):
        swapped = model(torch.ones(N), swapped=True)
    assert all(torch.equal(a, b) for a, b in zip(plain, swapped, strict=True))
    others = [run(model, 1), run(model, microbatch=1), run(model, replica=1)]
    outs = [plain[0], plain[1], *(o[0] for o in others)]
    assert all(not torch.equal(a, b) for i, a in enumerate(outs) for b in outs[:i])


def test_generator_is_left_alone() -> None:
    state = torch.get_rng_state()
    run(Model())
    assert torch.equal(torch.get_rng_state(), state)


def test_torchs_own_modules_are_reached_in_an_accelerated_process() -> None:
    with st.accelerate():
        theirs = run(nn.Sequential(nn.Dropout(0.5)))
    assert torch.equal(torch.stack(theirs), torch.stack(run(nn.Sequential(st.Dropout(0.5)))))


@pytest.mark.parametrize("reentrant", [True, False])
def test_recomputation(reentrant: bool) -> None:
    block = Block()

    def gradient(checkpointed: bool) -> torch.Tensor:
        x = torch.ones(N, requires_grad=True)
        with st.keyed(nn.ModuleDict({"block": block}), seed=1):
            y = checkpoint(block, x, use_reentrant=reentrant) if checkpointed else block(x)
            (y * x).sum().backward()
        assert x.grad is not None
        return x.grad

    assert torch.equal(gradient(True), gradient(False))


def test_twice_in_one_pass() -> None:
    class Twice(nn.Module):
        def __init__(self, told: bool) -> None:
            super().__init__()
            self.told, self.block = told, Block()

        def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
            first = self.block(x)
            if not self.told:
                return [first, self.block(x)]
            with st.call(1):
                return [first, self.block(x)]

    with pytest.raises(InputError, match=r"site 'block.drop' is used twice|site block.drop is used twice"):
        run(Twice(False))
    first, second = run(Twice(True))
    assert not torch.equal(first, second)
    module = nn.Sequential(st.Dropout(0.5))
    with st.keyed(module, seed=0):
        assert not torch.equal(module[0](torch.ones(N), call=0), module[0](torch.ones(N), call=1))


def test_a_step_may_run_several_passes() -> None:
    model = Model()
    with st.keyed(seed=4):
        first, second = model(torch.ones(N)), model(torch.ones(N))
    assert torch.equal(first[0], second[0])


def test_without_a_module_is_an_error() -> None:
    with st.keyed(seed=0), pytest.raises(InputError, match="needs a module"):
        st.dropout(torch.ones(3))
    with st.keyed(seed=0):
        assert st.dropout(torch.ones(3), key=MaskKey(1)).shape == (3,)


@pytest.mark.parametrize("bad", [1.5, -1, torch.ones(1), torch.ones(2, dtype=torch.int64)])
def test_step_rejected(bad: object) -> None:
    with pytest.raises(InputError, match="step must be"):
        st.keyed(seed=0, step=bad)  # type: ignore[arg-type]


def test_names() -> None:
    assert canonical("module.encoder._orig_mod.0._fsdp_wrapped_module.drop") == "encoder.0.drop"
    wrapped = nn.DataParallel(Model())
    assert canonical("module.first", wrapped) == "first"
    own = nn.ModuleDict({"module": nn.ModuleDict({"drop": st.Dropout()})})
    assert canonical("module.drop", own) == "module.drop"


def test_compiled_without_recompiling() -> None:
    model = Model()
    torch._dynamo.reset()
    counter = torch._dynamo.testing.CompileCounterWithBackend("aot_eager")
    compiled = torch.compile(model, fullgraph=True, backend=counter)
    for step in range(20):
        tensor = torch.tensor(step)
        with st.keyed(model, seed=4, step=tensor):
            ours = compiled(torch.ones(N))
        plain = run(model, step)
        assert all(torch.equal(a, b) for a, b in zip(ours, plain, strict=True))
    assert counter.frame_count == 1


def test_functional_dropout_of_torch_is_left_alone_outside() -> None:
    torch.manual_seed(0)
    expected = F.dropout(torch.ones(N))
    run(Model())
    torch.manual_seed(0)
    assert torch.equal(F.dropout(torch.ones(N)), expected)
