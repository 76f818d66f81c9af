"""Texts of the layers and recipes for Keras."""

TEXTS = {
    "model: expected a sequential or functional one where dropout is inserted or replaced, got {kind}; put "
    "layers of sukima.keras into it instead": (
        "ドロップアウトを挿入・置換できるのは Sequential か Functional のモデルだけです（model: {kind}）。"
        "sukima.keras の層をモデルに直接入れてください"
    ),
    "model must be built: give it an Input, or call it on a batch, before a recipe is applied": (
        "model は構築済みでなければなりません。Input を与えるかバッチで一度呼び出してから、レシピを適用してください"
    ),
    "penalties: an orthogonal penalty needs a matrix in Keras, got {count} dimensions in {layer}": (
        "penalties: Keras の直交ペナルティは行列にだけ使えます（{layer} の重みは {count} 次元）"
    ),
    "{kind} has no {form} step in Keras": "{kind} には Keras での {form} ステップがありません",
}
