"""Masks and the layers that use them."""

TEXTS = {
    "{name} must be a floating-point tensor, got {value}": (
        "{name} は浮動小数点数のテンソルでなければなりません（指定値: {value}）"
    ),
}
