"""Tune and compare from end to end, and the data sets by name."""

TEXTS = {
    "The model calls {functions} itself: no recipe can set that rate, and every arm has it. Use a module "
    "(nn.Dropout) instead.": (
        "モデルが {functions} を関数として直接呼び出しています。この率はレシピから変えられず、どの条件にも残ります。"
        "モジュール（nn.Dropout）に置き換えてください。"
    ),
    "About {trials} trials, {time}.": "およそ {trials} 回の学習、所要時間は {time} ほどです。",
    "model: expected dropout, or hidden activations after which it can be inserted, got none in {model}": (
        "model: ドロップアウトも、その後に挿入できる隠れ層の活性化関数も見つかりません（{model}）"
    ),
    "recipes must be at least one, got none": "recipes には少なくとも 1 つのレシピが必要です（空でした）",
    "recipes: the name {name} is taken by a default recipe": "recipes: 名前 {name} は既定のレシピと重なります",
    "{count} runs of before are taken from {path}.": "以前に終わった学習 {count} 回分を {path} から読み込みました。",
    "data 'mnist' must lie in one of {places} (nothing is downloaded), found in none": (
        "データ 'mnist' が {places} のいずれにも見つかりません（ダウンロードは行いません）"
    ),
    "train_rows must be at most {most} for {data}, got {rows}": (
        "{data} の train_rows は {most} 以下でなければなりません（指定値: {rows}）"
    ),
}
