"""Texts of the function for JAX."""

TEXTS = {
    "{name} must be a floating-point array, got {value}": (
        "{name} は浮動小数点数の配列でなければなりません（指定値: {value}）"
    ),
    "rate must be a number or an array of no dimensions, got shape {value}": (
        "rate は数値か 0 次元の配列でなければなりません（指定値の形: {value}）"
    ),
    "shape and offset must both be given, one number for each of the {count} dimensions of x, got {value}": (
        "shape と offset は両方を、x の {count} 個の次元ごとに 1 つずつ指定してください（指定値: {value}）"
    ),
}
