"""Argument checks and optional imports."""

TEXTS = {
    "{module} is not installed; it comes with: pip install 'sukima[{extra}]'": (
        "{module} がインストールされていません。pip install 'sukima[{extra}]' で導入できます"
    ),
    "{name} must be {expected}, got {value}": "{name} は {expected} でなければなりません（指定値: {value}）",
    "{name} must be a whole number of at least {minimum}, got {value}": (
        "{name} は {minimum} 以上の整数でなければなりません（指定値: {value}）"
    ),
    "{name} must be one of {choices}, got {value}": (
        "{name} は {choices} のいずれかでなければなりません（指定値: {value}）"
    ),
}
