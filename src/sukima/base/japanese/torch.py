"""Sites and recipes of torch models."""

TEXTS = {
    "rates: dropout is never inserted at the output layer or after it, got {site}": (
        "rates: 出力層やその後ろにドロップアウトは挿入できません（指定値: {site}）"
    ),
    "site {site}: dropout needs the layer's input as its first argument": (
        "サイト {site}: ドロップアウトには層の入力が第 1 引数として必要です"
    ),
    "{table}: expected one of the model's sites ({known}), got {site}": (
        "{table}: サイト {site} はモデルにありません（あるのは {known}）"
    ),
    "rates: a site cannot be deleted; set its rate to 0, or remove the recipe": (
        "rates: サイトは削除できません。ドロップ率を 0 にするか、レシピごと取り外してください"
    ),
    "site {site}: dropout needs a tensor there, got {kind}": (
        "サイト {site}: ドロップアウトを挿入できるのはテンソルだけです（{kind} でした）"
    ),
}
