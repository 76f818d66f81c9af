"""Models for export: the same outputs, and nothing in the graph that could drop."""

import copy
import io
import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import sukima
import sukima.torch as st


class Functional(nn.Module):
    """Dropout called as functions, in a forward of one's own."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(8, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.dropout(F.dropout(self.layer(x), 0.5, self.training), 0.1, self.training)


def models() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    inserted = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8))
    sukima.apply(inserted, sukima.Recipe(rates={"1": 0.5}))
    return {
        "torch": nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5), nn.AlphaDropout(0.2)),
        "ours": nn.Sequential(
            st.DropConnect(8, 8), st.Dropout(0.5), st.GaussianDropout(0.2), st.DropPath(0.3), st.TokenDropout(0.1)
        ),
        "classic": nn.Sequential(st.LayerDrop([nn.Linear(8, 8)] * 2), st.LockedDropout(0.5)),
        "concrete": nn.Sequential(st.ConcreteDropout(nn.Linear(8, 8)), st.MultiSampleDropout(nn.Linear(8, 8))),
        "inserted": inserted,
        "functions": nn.Sequential(Functional(), nn.ReLU()),
        "transformer": nn.TransformerEncoderLayer(8, 2, 16, 0.3, batch_first=True),
    }


NAMES = list(models())


def assert_clean(names: set[str]) -> None:
    for word in ("dropout", "bernoulli", "sukima", "rand"):
        assert not [name for name in names if word in name.lower()], names


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("accelerated", [False, True])
def test_exported_graph_holds_no_dropout(name: str, accelerated: bool) -> None:
    model = models()[name].train()
    before = copy.deepcopy(model)
    x = torch.randn(2, 3, 8)
    stripped = st.strip(model)
    assert model.training
    assert repr(model) == repr(before)
    with torch.no_grad():
        expected = model.eval()(x)
        torch.testing.assert_close(stripped(x), expected)
        handle = sukima.torch.accelerate() if accelerated else None
        try:
            exported = torch.export.export(stripped, (x,))
        finally:
            if handle is not None:
                handle.off()
        assert_clean({str(node.target) for node in exported.graph.nodes if node.op == "call_function"})
        torch.testing.assert_close(exported.module()(x), expected)


@pytest.mark.parametrize("name", ["torch", "ours", "functions"])
def test_onnx_holds_no_dropout(name: str) -> None:
    onnx = pytest.importorskip("onnx")
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(st.strip(models()[name]), (torch.randn(2, 3, 8),), file, dynamo=False)
    graph = onnx.load_from_string(file.getvalue()).graph
    assert_clean({node.op_type for node in graph.node})
    assert len(graph.node) >= 1


@pytest.mark.parametrize(
    ("name", "accelerated"),
    [("functions", False), *((n, True) for n in ("torch", "ours", "inserted", "functions", "transformer"))],
)
def test_onnx_by_way_of_export_holds_no_dropout(name: str, accelerated: bool) -> None:
    pytest.importorskip("onnxscript", reason="torch's exporter to ONNX needs onnxscript")
    handle = sukima.torch.accelerate() if accelerated else None
    try:
        program = torch.onnx.export(st.strip(models()[name]), (torch.randn(2, 3, 8),), dynamo=True, verbose=False)
    finally:
        if handle is not None:
            handle.off()
    assert program is not None
    names = {node.op_type for node in program.model.graph}
    assert_clean(names)
    assert names


@pytest.mark.parametrize("name", ["bart", "gpt2", "llama", "swin", "wav2vec2"])
def test_models_of_hugging_face(name: str) -> None:
    hugging_face = pytest.importorskip("hugging_face")
    model, batch = hugging_face.model(name).train(), hugging_face.inputs(name)
    if name in ("bart", "gpt2", "llama"):
        batch["use_cache"] = False  # a cache is nothing that torch.export can return
    stripped = st.strip(model)
    with torch.no_grad(), st.accelerate():
        exported = torch.export.export(stripped, (), batch)
        assert_clean({str(node.target) for node in exported.graph.nodes if node.op == "call_function"})
        torch.testing.assert_close(exported.module()(**batch).logits, model.eval()(**batch).logits)
    assert all(site.rate > 0 for site in st.sites(model).values() if site.kind == "attention")


def test_recurrent_layers_and_copies() -> None:
    model = nn.ModuleDict({"rnn": st.LSTM(4, 4, num_layers=2, dropout=0.5, input_dropout=0.2, zoneout_cell=0.1)})
    stripped = st.strip(model["rnn"])
    assert (stripped.dropout, stripped.input_dropout, stripped.zoneout_cell) == (0.0, 0.0, 0.1)
    x = torch.randn(3, 2, 4)
    torch.testing.assert_close(stripped(x)[0], model["rnn"].eval()(x)[0])
    assert stripped.state_dict().keys() == model["rnn"].state_dict().keys()
    torch.testing.assert_close(copy.deepcopy(stripped)(x)[0], stripped(x)[0])


def test_classic_dropout_keeps_its_scale_at_inference() -> None:
    model = nn.Sequential(st.Dropout(0.25, form="classic"))
    x = torch.ones(2, 3)
    torch.testing.assert_close(st.strip(model)(x), model.eval()(x))
