"""Masks and the layers that use them."""

TEXTS = {
    "{name} must be a floating-point tensor, got {value}": (
        "{name} は浮動小数点数のテンソルでなければなりません（指定値: {value}）"
    ),
    "{name} must have the input's shape, dtype and device ({expected}), got {value}": (
        "{name} の形状・dtype・デバイスは入力と同じ（{expected}）でなければなりません（指定値: {value}）"
    ),
    "{name} must not have two elements at one place in memory, got strides {value}": (
        "{name} の複数の要素が同じメモリを指していてはいけません（ストライド: {value}）"
    ),
    "{name} must not overlap the input, unless it is the input": (
        "{name} は、入力そのものである場合を除き、入力とメモリが重なってはいけません"
    ),
    "{name} cannot be given where gradients are asked for": "勾配を求める計算では {name} を指定できません",
}
