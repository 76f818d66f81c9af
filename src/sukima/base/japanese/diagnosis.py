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
    "{path}: no known format of a history; a text log needs a --pattern": (
        "{path}: 履歴の形式を判別できません。テキストログには --pattern が必要です"
    ),
    "{path}: no history in any of its files": "{path}: どのファイルにも履歴が見つかりません",
    "{count} files or runs without a history left out, the first: {why}": (
        "履歴のないファイルまたは実行 {count} 件を除きました（最初のもの: {why}）"
    ),
    "{path}: an archive; unpack it first": "{path}: 圧縮ファイルです。先に展開してください",
    "{path}: a pickle, which can run code when it is opened; save the history as JSON or CSV": (
        "{path}: pickle は開くと任意のコードが実行され得るため読みません。履歴は JSON か CSV で保存してください"
    ),
    "{path}: the file is empty": "{path}: ファイルが空です",
    "{path}: 'log_history' must be a list of rows": "{path}: 'log_history' は行の並びでなければなりません",
    "{path}: no metrics found in this folder": "{path}: このフォルダーには評価値が見つかりません",
    "{path}: no scalars found in this event file": "{path}: このイベントファイルにはスカラー値が見つかりません",
    "{path}: no line matches the pattern": "{path}: パターンに合う行がありません",
    "{path}: only the first {count} files are looked at": "{path}: 先頭の {count} ファイルだけを調べました",
    "{count} broken lines left out": "壊れた行 {count} 行を除きました",
    "{count} lines that are not JSON objects left out": "JSON オブジェクトでない行 {count} 行を除きました",
    "{count} lines longer than {limit} characters left out": "{limit} 文字を超える行 {count} 行を除きました",
    "the event file breaks off or is damaged; what follows is left out": (
        "イベントファイルが途切れているか壊れているため、そこから後を除きました"
    ),
    "only the first {count} scalars are read": "先頭の {count} 個のスカラー値だけを読みました",
    "a broken event is left out": "壊れたイベントを除きました",
    "pattern must name its numbers in braces, as in 'loss {{loss}} val {{val_loss}}', got {value}": (
        "pattern では 'loss {{loss}} val {{val_loss}}' のように数値の位置を波括弧で示してください（指定値: {value}）"
    ),
    "pattern must be a regular expression, got {value} ({why})": (
        "pattern は正規表現でなければなりません（指定値: {value}、{why}）"
    ),
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
