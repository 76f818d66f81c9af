"""The torch family of layers, penalties and constraints."""

TEXTS = {
    "key must be a MaskKey here: only masks of units and channels can be sharded, got {key}": (
        "ここの key は MaskKey でなければなりません。分割できるのはユニットとチャネルのマスクだけです（指定値: {key}）"
    ),
    "{name} must be a number or a tensor of one element, got {value}": (
        "{name} は数値、または要素が 1 個のテンソルでなければなりません（指定値: {value}）"
    ),
    "{name} must have at least {count} dimensions, got {value}": (
        "{name} には {count} 次元以上が必要です（指定値の形状: {value}）"
    ),
    "noise_shape must give 1, None or the input's own size for each of its dimensions {shape}, got {value}": (
        "noise_shape には、入力の各次元 {shape} について 1、None、または同じ大きさを指定してください（指定値: {value}）"
    ),
    "{name} must be an integer tensor, got {value}": "{name} は整数のテンソルでなければなりません（指定値: {value}）",
    "edge_index must be an integer tensor of shape (2, edges), got {value}": (
        "edge_index は形状 (2, 辺の数) の整数テンソルでなければなりません（指定値: {value}）"
    ),
    "edge_attr must have a row for each of the {count} edges, got {value}": (
        "edge_attr には {count} 本の辺それぞれに対応する行が必要です（指定値の形状: {value}）"
    ),
    "groups must divide the layer's {inputs} inputs, got {value}": (
        "groups は層の入力数 {inputs} の約数でなければなりません（指定値: {value}）"
    ),
    "x must be a batch of inputs or batches one after another, got {value}": (
        "x は入力のバッチ、またはバッチの列でなければなりません（指定値: {value}）"
    ),
    "first and second must be logits of one shape (rows, classes), got {first} and {second}": (
        "first と second は同じ形状 (行数, クラス数) のロジットでなければなりません（{first} と {second} でした）"
    ),
    "an activity penalty acts on what a layer gives, not on weights: use activity_penalty": (
        "活性ペナルティは重みではなく層の出力に作用します。activity_penalty を使ってください"
    ),
    "{kind} has no proximal step": "{kind} には近接ステップがありません",
}
