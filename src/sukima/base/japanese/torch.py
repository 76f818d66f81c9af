"""Sites and recipes of torch models."""

TEXTS = {
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
