"""The arms of a comparison, what else they do, and the result in plain words."""

TEXTS = {
    "dropout + early stopping": "ドロップアウト + 早期終了",
    "dropout + L2": "ドロップアウト + L2",
    "dropout + max-norm": "ドロップアウト + 最大ノルム制約",
    "dropout + batch norm": "ドロップアウト + バッチ正規化",
    "early stopping": "早期終了",
    "L1": "L1",
    "L2": "L2",
    "elastic net": "Elastic Net",
    "batch norm": "バッチ正規化",
    "augmentation": "データ拡張",
    "smaller model": "小さなモデル",
    "twice the data": "2 倍のデータ",
    "ensemble": "アンサンブル",
    # What each does
    "what it does": "内容",
    "The arms": "比べた条件",
    "nothing": "何もしない",
    "dropout {rates}": "ドロップアウト {rates}",
    "weights of a unit with norm {limit} at most": "ユニットごとの重みのノルムを {limit} 以下に制限",
    "weight decay {value}": "重み減衰 {value}",
    "label smoothing {value}": "ラベルスムージング {value}",
    "stops after {count} epochs without a better validation loss": (
        "検証損失が {count} エポック続けて改善しなければ終了"
    ),
    "mean of {count} networks with other initial weights": "初期値の異なる {count} 個のネットワークの平均",
    "batch normalisation before each activation": "各活性化関数の前にバッチ正規化",
    "half as many hidden units": "隠れ層のユニット数を半分に",
    "images moved at random in training": "学習時に画像をランダムにずらす",
    "noise of deviation {value} on the inputs": "学習時の入力に標準偏差 {value} のノイズを加える",
    "mixup {value}": "mixup {value}",
    "twice as many training rows": "訓練データを 2 倍に",
    # Effects
    "What else changes": "そのほかの変化",
    "Left out": "比べられなかった条件",
    "{arm}: {why}": "{arm}: {why}",
    "loss with noise": "ノイズ時の損失",
    "calibration error": "較正誤差",
    "Brier score": "Brier スコア",
    "co-adaptation": "共適応",
    "weights near zero": "ほぼ 0 の重み",
    "masked mean": "マスク平均",
    "epochs": "エポック数",
    "Other effects, on {data}": "そのほかの効果（{data}）",
    "{count} of {seeds}": "{seeds} 回中 {count} 回",
    "▲ better, ▼ worse than {baseline} beyond doubt; no mark: no difference can be shown. Loss with noise: noise of "
    "half the inputs' standard deviation was added to them. Calibration error: how far the stated confidence is "
    "from the share of right answers. Co-adaptation: mean absolute correlation of hidden units. Weights near zero: "
    "below a hundredth of the largest in their layer. Masked mean: the loss of the mean of 50 masked passes, less "
    "that of one pass without masks. {to_loss}": (
        "▲ は「{baseline}」より確かに良い、▼ は確かに悪いことを示し、印のないものは差があるとは言えません。"
        "ノイズ時の損失: 入力の標準偏差の半分の大きさのノイズを加えて測った損失。"
        "較正誤差: モデルの確信度と実際の正解率のずれ。共適応: 隠れユニットどうしの相関係数の絶対値の平均。"
        "ほぼ 0 の重み: 層内で最大の重みの 100 分の 1 に満たない重みの割合。"
        "マスク平均: マスクをかけた 50 回の予測の平均による損失から、マスクなし 1 回の損失を引いた値。{to_loss}"
    ),
    "Epochs and time are those until the validation loss was {loss} or less (“{of}” where not every run got "
    "there; the time is that of this comparison, where many networks were trained side by side).": (
        "エポック数と所要時間は、検証損失が {loss} 以下になるまでの値です（届かない回があった条件は「{of}」のように"
        "示します。時間は、多数のネットワークを並べて学習した今回の実測値です）。"
    ),
    "The best arm differs in more than its recipe: {what}.": (
        "最も良かった条件では、レシピのほかに次の変更があります: {what}。"
    ),
    # In words
    "{before}, {next}": "{before}、{next}",
    "{before} {next}": "{before}{next}",
    "{count} recipes were tried, each with {seeds} training runs from the same random beginnings. With {baseline} "
    "the {measure} on {data} is {value}.": (
        "{count} 種類のレシピを、乱数の条件をそろえて {seeds} 回ずつ学習しました。"
        "「{baseline}」のとき、{data}での{measure}は {value} です。"
    ),
    "Better beyond doubt: {arms}.": "確かに良くなったもの: {arms}。",
    "Worse beyond doubt: {arms}.": "確かに悪くなったもの: {arms}。",
    "For the others no difference can be shown: {arms}.": "それ以外には、差があるとは言えません（{arms}）。",
    "No difference can be shown for any of them: {arms}.": "どのレシピにも、差があるとは言えません（{arms}）。",
    "{arm} ({gain})": "{arm}（{gain}）",
    "{arm} ({percent} % less loss)": "{arm}（損失が {percent} % 減少）",
    "{arm} ({percent} % more loss)": "{arm}（損失が {percent} % 増加）",
    "training and new data lie closer together": "訓練と検証の差が縮まる",
    "it bears noise on its inputs better": "入力のノイズに強くなる",
    "its stated confidence is more honest": "確信度が実際の正解率に近づく",
    "its units depend less on each other": "ユニットどうしの依存が減る",
    "it gets there in fewer epochs": "少ないエポックで学習が進む",
    "training and new data lie further apart": "訓練と検証の差が広がる",
    "it bears noise on its inputs worse": "入力のノイズに弱くなる",
    "its stated confidence is less honest": "確信度が実際の正解率から離れる",
    "it needs more epochs": "学習に多くのエポックがかかる",
    "Of {arm} this shows too: {effects}.": "「{arm}」には、ほかに次の効果が認められます: {effects}。",
    "The price of {arm}: {effects}.": "「{arm}」の代償: {effects}。",
    "Of {arm} this shows too: {effects}; its price: {losses}.": (
        "「{arm}」には、ほかに次の効果が認められます: {effects}。一方、代償もあります: {losses}。"
    ),
}
