"""Diagnosis: readers of histories, evidence, verdicts and advice."""

TEXTS = {
    # readers
    "{path}: not a regular file": "{path}: 通常のファイルではありません",
    "{path}: {size} MB are too many for this format, at most {most} MB": (
        "{path}: この形式で読める上限は {most} MB です（{size} MB）"
    ),
    "{path}: no rows of numbers found": "{path}: 数値の行が見つかりません",
    "{path}: not JSON ({why})": "{path}: JSON として読めません（{why}）",
    "{source}: no curves found in this JSON": "{source}: この JSON には学習曲線が見つかりません",
    "{path}: no known format of a history": "{path}: 履歴の形式を判別できません",
    "{source}: no training and validation curves found among the columns {names}; name them with --map": (
        "{source}: 列 {names} の中に訓練と検証の曲線が見つかりません。--map で列を指定してください"
    ),
    "map: {key} must be one of train, val, train_metric, val_metric": (
        "map: {key} は train、val、train_metric、val_metric のいずれかでなければなりません"
    ),
    "map: no column {name} in {source}, only {names}": "map: {source} に列 {name} はありません（ある列: {names}）",
    "map: {key} is missing; training and validation go together": (
        "map: {key} がありません。訓練と検証は対で指定してください"
    ),
    "history[{name}] must hold numbers only, got {value}": (
        "history[{name}] は数値だけでなければなりません（指定値: {value}）"
    ),
    "{count} validation values without training values before them left out": (
        "直前に訓練の値がない検証の値 {count} 個を除きました"
    ),
    "loss and metric have different lengths; the first {count} epochs are used": (
        "損失と評価指標の長さが異なるため、最初の {count} エポックを使いました"
    ),
    "epochs were not in order and have been sorted": "エポックが順に並んでいないため、並べ替えました",
    "{count} values of repeated epochs left out; the last of each is kept": (
        "重複したエポックの値 {count} 個を除き、それぞれ最後の値を使いました"
    ),
    "the first row has no names; columns are called 'column 1' and so on": (
        "先頭行に列名がないため、'column 1' のような名前を付けました"
    ),
    "only the first {count} rows are read": "先頭の {count} 行だけを読みました",
    "row {row} is broken; it and what follows are left out": "{row} 行目が壊れているため、そこから後を除きました",
    "a line is longer than {count} characters; it and what follows are left out": (
        "{count} 文字を超える行があるため、そこから後を除きました"
    ),
    # evidence
    "training accuracy {train:.1f} %, validation {validation:.1f} %: a gap of {gap:.1f} points": (
        "正解率は訓練 {train:.1f} %、検証 {validation:.1f} % で、差は {gap:.1f} ポイント"
    ),
    "training is very high and validation far behind": "訓練の正解率が非常に高く、検証が大きく下回っています",
    "validation is 10 points or more behind": "検証が訓練を 10 ポイント以上下回っています",
    "validation is far better than training": "検証が訓練を大きく上回っています",
    "the gap is small and both are low: no overfitting, possibly underfitting": (
        "差は小さく、どちらも低いままです。過学習ではなく、学習不足の可能性があります"
    ),
    "the gap is normal": "差は正常な範囲です",
    "the gap is wider than normal and narrower than overfitting": (
        "差は正常とするには大きく、過学習とするには小さい範囲です"
    ),
    "the curve stops being finite at epoch {epoch}": "エポック {epoch} で値が NaN または無限大になりました",
    "the run itself was stopped as diverged": "学習が発散として打ち切られています",
    "{count} epochs without an accuracy are too few to judge": (
        "正解率がなく {count} エポックしかないため、判断できません"
    ),
    "at the end training is at {train:.4g} and validation at {validation:.4g}": (
        "最後の値は訓練 {train:.4g}、検証 {validation:.4g}"
    ),
    "training ended worse than it started": "訓練の値が開始時より悪くなって終わりました",
    "validation has risen by {rise:.4g} (noise {error:.2g}) since epoch {epoch} while training fell": (
        "エポック {epoch} 以降、訓練が下がる一方で検証は {rise:.4g} 上がりました（ノイズ {error:.2g}）"
    ),
    "validation still falls: three times the epochs would take off about {gain:.2g}": (
        "検証はまだ下がっています。3 倍のエポックで約 {gain:.2g} 下がる見込みです"
    ),
    "validation neither rises nor still falls by more than noise": ("検証はノイズを超えて上がっても下がってもいません"),
}
