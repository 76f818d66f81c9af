"""Comparison: variants of a task and why there is none."""

TEXTS = {
    "the model has batch normalisation already": "モデルにはすでにバッチ正規化があります",
    "no layer with an activation after it was found": "直後に活性化関数のある層が見つかりません",
    "it has a {layer}, whose width depends on others": "{layer} があり、幅だけを変えることができません",
    "it has no hidden layer": "隠れ層がありません",
    "the sizes of its layers cannot be halved": "層の大きさを半分にできません",
    "the changed model fails: {why}": "変更したモデルが動きません（{why}）",
    "the changed model gives outputs of another shape": "変更したモデルの出力の形が変わってしまいます",
    "the inputs are neither images nor rows of floating-point numbers": "入力が画像でも浮動小数点数の行でもありません",
    "the task has no spare data": "タスクに予備のデータ（spare）がありません",
    "the task has {there} spare rows, and {rows} are needed": (
        "予備のデータが足りません（{rows} 行必要ですが {there} 行しかありません）"
    ),
}
