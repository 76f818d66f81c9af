"""Small models of Hugging Face, without weights of anybody's: how their classes hold and use rates is what matters."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

transformers = pytest.importorskip("transformers")

_TEXT = {"vocab_size": 40, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
_LLAMA = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
_BERT = {**_TEXT, **_LLAMA, "max_position_embeddings": 32}
_BART = {
    **_TEXT, "d_model": 16, "encoder_layers": 2, "decoder_layers": 1, "encoder_attention_heads": 2,
    "decoder_attention_heads": 2, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "max_position_embeddings": 32,
    "attention_dropout": 0.1, "activation_dropout": 0.1, "encoder_layerdrop": 0.1,
}  # fmt: skip
_WAV2VEC2 = {
    **_LLAMA, "vocab_size": 12, "conv_dim": (8, 8), "conv_stride": (5, 4), "conv_kernel": (10, 8),
    "num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2, "num_feat_extract_layers": 2,
    "apply_spec_augment": False,
}  # fmt: skip
_SWIN = {
    "image_size": 16, "patch_size": 2, "embed_dim": 8, "depths": [1, 1], "num_heads": [1, 2], "window_size": 2,
    "drop_path_rate": 0.2, "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1,
}  # fmt: skip

# The model's class, its configuration's, and what that is given.
_MODELS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "bert": ("BertForSequenceClassification", "BertConfig", _BERT),
    "gpt2": ("GPT2LMHeadModel", "GPT2Config", {**_TEXT, "n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 32}),
    "vit": (
        "ViTForImageClassification", "ViTConfig",
        {**_LLAMA, "image_size": 16, "patch_size": 8, "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1},
    ),
    "llama": ("LlamaForCausalLM", "LlamaConfig", {**_TEXT, **_LLAMA, "attention_dropout": 0.1}),
    "t5": (
        "T5ForConditionalGeneration", "T5Config",
        {"vocab_size": 40, "d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 2},
    ),
    "bart": ("BartForConditionalGeneration", "BartConfig", _BART),
    "wav2vec2": ("Wav2Vec2ForCTC", "Wav2Vec2Config", _WAV2VEC2),
    "swin": ("SwinForImageClassification", "SwinConfig", _SWIN),
    "distilbert": (
        "DistilBertForMaskedLM", "DistilBertConfig",
        {**_TEXT, "dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 32, "max_position_embeddings": 32},
    ),
}  # fmt: skip
NAMES = list(_MODELS)


def model(name: str, attention: str = "sdpa") -> nn.Module:
    """A model with weights drawn under seed 0."""
    cls, configuration, settings = _MODELS[name]
    torch.manual_seed(0)
    made: nn.Module = getattr(transformers, cls)(getattr(transformers, configuration)(**settings))
    made.set_attn_implementation(attention)
    return made


def inputs(name: str) -> dict[str, torch.Tensor]:
    """A batch of two for it."""
    generator = torch.Generator().manual_seed(0)
    if name in ("vit", "swin"):
        return {"pixel_values": torch.randn(2, 3, 16, 16, generator=generator)}
    if name == "wav2vec2":
        return {"input_values": torch.randn(2, 400, generator=generator)}
    tokens = torch.randint(3, 40, (2, 7), generator=generator)
    return {"input_ids": tokens} | ({"decoder_input_ids": tokens} if name in ("t5", "bart") else {})


Run = Callable[[int], torch.Tensor]


def runner(model: nn.Module, name: str) -> Run:
    """A forward pass under a seed, as a function of the seed."""
    import numpy as np

    batch = inputs(name)

    def run(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        np.random.seed(seed)  # the generator by which Wav2Vec2 skips layers
        with torch.no_grad():
            logits: torch.Tensor = model(**batch).logits
        return logits.clone()

    return run
