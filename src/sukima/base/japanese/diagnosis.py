"""Diagnosis: readers of histories, evidence, verdicts and advice."""

TEXTS = {
    # readers
    "{path}: not a regular file": "{path}: 通常のファイルではありません",
    "{path}: {size} MB are too many for this format, at most {most} MB": (
        "{path}: この形式で読める上限は {most} MB です（{size} MB）"
    ),
    "{path}: no rows of numbers found": "{path}: 数値の行が見つかりません",
    "{path}: not JSON ({why}); a text log needs a --pattern": (
        "{path}: JSON として読めません（{why}）。テキストのログには --pattern を指定してください"
    ),
    "{source}: no curves found in this JSON": "{source}: この JSON には学習曲線が見つかりません",
    "{path}: no known format of a history; a text log needs a --pattern": (
        "{path}: 履歴の形式を判別できません。テキストログには --pattern が必要です"
    ),
    "{path}: no history in any of its files": "{path}: どのファイルにも履歴が見つかりません",
    "{path}: no history in any of its files or runs, the first: {why}": (
        "{path}: どのファイル・実行にも履歴が見つかりません。最初の理由: {why}"
    ),
    "{count} files or runs without a history left out, the first: {why}": (
        "履歴のないファイルまたは実行 {count} 件を除きました（最初のもの: {why}）"
    ),
    "{path}: an archive; unpack it first": "{path}: 圧縮ファイルです。先に展開してください",
    "{path}: a pickle, which can run code when it is opened; save the history as JSON or CSV": (
        "{path}: pickle は開くと任意のコードが実行され得るため読みません。履歴は JSON か CSV で保存してください"
    ),
    "{path}: the file is empty": "{path}: ファイルが空です",
    "{path}: 'log_history' must be a list of rows": "{path}: 'log_history' は行の並びでなければなりません",
    "{path}: no metrics found in this database": "{path}: このデータベースには評価値が見つかりません",
    "{path}: not a database of MLflow ({why})": "{path}: MLflow のデータベースではありません（{why}）",
    "the database breaks off or is damaged; what follows is left out": (
        "データベースが途切れているか壊れているため、そこから後を除きました"
    ),
    "the file breaks off or is damaged; what follows is left out": (
        "ファイルが途切れているか壊れているため、そこから後を除きました"
    ),
    "only the first {count} runs are read": "先頭の {count} 件の実行だけを読みました",
    "a broken record is left out": "壊れたレコードを除きました",
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
    "at the end training is at {train:.4g} and validation at {validation:.4g}: a gap of {gap:.3g}": (
        "最後の値は訓練 {train:.4g}、検証 {validation:.4g} で、ギャップは {gap:.3g}"
    ),
    "training ended worse than it started": "訓練の値が開始時より悪くなって終わりました",
    "validation has not risen; its best is its end": "検証は上昇しておらず、最後の値が最良です",
    "since epoch {epoch} validation has risen by {rise:.3g} (noise {error:.1g}), training fell by {fell:.3g}": (
        "エポック {epoch} 以降、訓練が {fell:.3g} 下がる一方で検証は {rise:.3g} 上がりました（ノイズ {error:.1g}）"
    ),
    "since epoch {epoch} validation has risen by {rise:.3g} (noise {error:.1g}), and training did not fall": (
        "エポック {epoch} 以降、検証は {rise:.3g} 上がり（ノイズ {error:.1g}）、訓練も下がっていません"
    ),
    "three times the epochs would change validation by about {change:+.1f} % ({low:+.1f} to {high:+.1f})": (
        "エポック数を 3 倍にしたときの検証の変化は約 {change:+.1f} %（{low:+.1f} ～ {high:+.1f}）と見込まれます"
    ),
    "validation has been level, within its noise, since epoch {epoch}": (
        "検証はエポック {epoch} 以降、ノイズの範囲で横ばいです"
    ),
    "the gap still widens, by {growth:.2g} with each doubling of the epochs": (
        "ギャップはまだ広がっており、エポック数が 2 倍になるごとに {growth:.2g} 増えています"
    ),
    "the validation accuracy holds while the loss rises: errors are not more but surer": (
        "検証の損失は上がっても正解率は保たれています。誤りが増えたのではなく、誤るときの確信が強まっています"
    ),
    (
        "validation is mostly better than training: training looks measured with dropout on, or as a running mean, so "
        "that the true gap is wider"
    ): (
        "検証がおおむね訓練より良い値です。訓練側はドロップアウトを効かせたまま、またはエポック中の移動平均で"
        "測られているとみられ、実際の差はこれより大きいはずです"
    ),
    "training drops suddenly at epoch {epoch}, as when the learning rate is lowered": (
        "訓練の値がエポック {epoch} で急に下がっています。学習率を下げたときに見られる形です"
    ),
    "training drops suddenly at epoch {epoch}, where the learning rate went from {before:g} to {after:g}": (
        "訓練の値がエポック {epoch} で急に下がっています。学習率が {before:g} から {after:g} に下がった時点です"
    ),
    "the learning rate went from {before:g} to {after:g} at epoch {epoch}, and the curves show no kink": (
        "エポック {epoch} で学習率が {before:g} から {after:g} に下がりましたが、曲線に折れ目は見られません"
    ),
    "training drops suddenly at epoch {epoch}, and the learning rate does not explain it": (
        "訓練の値がエポック {epoch} で急に下がっていますが、学習率の変化では説明できません"
    ),
    ("validation is {factor:.3g} times training from the first epoch on: a sum beside a mean, or other counts"): (
        "検証は最初のエポックから訓練の {factor:.3g} 倍です。一方が合計で他方が平均か、割る数がサンプル数と"
        "バッチ数で食い違っています"
    ),
    (
        "validation is far better than training, though both were measured in inference mode: validation data are "
        "easier, or training rows are among them"
    ): (
        "どちらも推論モードで測ったのに、検証が訓練よりはるかに良い値です。検証データが易しいか、訓練データが"
        "混ざっています"
    ),
    "the curves fit {first} ({share:.0f} %) hardly better than {second} ({other:.0f} %)": (
        "曲線からは{first}（{share:.0f} %）と{second}（{other:.0f} %）をほとんど区別できません"
    ),
    "overfitting": "過学習",
    "underfitting": "学習不足",
    "healthy": "良好",
    "unfinished": "学習途中",
    "diverged": "発散",
    "mismatched": "不整合",
    "unclear": "判断できない",
    # advice
    "nothing is wrong; only longer training may still gain a little": (
        "問題はありません。さらに改善するとすれば、学習を長くした場合だけです"
    ),
    "leave it as it is; what is left to gain is within noise": "このままで十分です。改善の余地はノイズの範囲内です",
    "lower the learning rate to a tenth, or clip the gradients": (
        "学習率を 10 分の 1 に下げるか、勾配クリッピングを使ってください"
    ),
    "check that the inputs are scaled and that no label or input is NaN": (
        "入力が正規化されているか、入力やラベルに NaN がないかを確かめてください"
    ),
    "measure both losses in the same way: mean over rows, in inference mode": (
        "どちらの損失も同じ方法（推論モードでのサンプル平均）で測ってください"
    ),
    "check the split: the same rows, or rows of the same source, must not be on both sides": (
        "データの分割を確かめてください。同じサンプルや同じ出所のサンプルが両側にあってはなりません"
    ),
    "train longer, or several seeds and judge them together: noise covers what happens": (
        "もっと長く学習するか、複数のシードをまとめて診断してください。今はノイズに隠れて判断できません"
    ),
    "stop at epoch {epoch}, or keep the weights of that epoch": (
        "エポック {epoch} で止めるか、そのエポックの重みを残してください"
    ),
    ("the accuracy holds while the loss rises: too sure of itself; label smoothing 0.1 would help"): (
        "正解率は保たれ損失だけが上がっており、モデルが過信しています。ラベル平滑化 0.1 が有効です"
    ),
    "more data or augmentation would help more than regularization: dropout gains little with {rows} rows": (
        "正則化よりデータの追加や拡張が有効です。{rows} 件ではドロップアウトの効果はわずかです"
    ),
    "cause: too many features, {inputs} for {rows} rows; keep fewer, or let an L1 penalty choose": (
        "原因: 特徴量が多すぎます（{rows} 件に対して {inputs} 個）。減らすか、L1 ペナルティで選ばせてください"
    ),
    "cause: a model of {parameters} weights for {rows} rows can learn them by heart; try a smaller one": (
        "原因: {rows} 件に対して重みが {parameters} 個あり、丸暗記できてしまいます。小さいモデルを試してください"
    ),
    "cause: too little data, {rows} rows": "原因: データが足りません（{rows} 件）",
    "cause: too many epochs, {epochs} where {best} were best": (
        "原因: エポック数が多すぎます（{epochs} エポック、最良は {best}）"
    ),
    "a larger model (twice the width), or one made for such data": (
        "幅を 2 倍にするなどモデルを大きくするか、データに合った構造のモデルにしてください"
    ),
    "a higher learning rate, if training is slow rather than stuck": (
        "停滞ではなく進みが遅いだけなら、学習率を上げてください"
    ),
    "another {epochs} epochs would gain {gain:.1f} points of accuracy ({low:.1f} to {high:.1f})": (
        "あと {epochs} エポックで正解率は {gain:.1f} ポイント上がる見込みです（{low:.1f} ～ {high:.1f}）"
    ),
    "another {epochs} epochs would change the validation loss by {change:+.2g} ({low:+.2g} to {high:+.2g})": (
        "あと {epochs} エポックで検証の損失は {change:+.2g} 変わる見込みです（{low:+.2g} ～ {high:+.2g}）"
    ),
    (
        "more data, fewer features or a smaller model would help as well; with the task, or the numbers of rows and "
        "inputs, it can be said which"
    ): (
        "データを増やす、特徴量を減らす、モデルを小さくすることも効きます。タスク、または行数と特徴量の数がわかれば、"
        "どれが効くかを示せます"
    ),
    "go on: another {epochs} epochs would take {gain:.2g} off the validation loss ({low:.2g} to {high:.2g})": (
        "学習を続けてください。あと {epochs} エポックで検証の損失は {gain:.2g} "
        "下がる見込みです（{low:.2g} ～ {high:.2g}）"
    ),
    "dropout after the hidden layers, rate {after:g}": "隠れ層の後に率 {after:g} のドロップアウトを入れてください",
    "raise the rates from {before:g} to {after:g}": "率を {before:g} から {after:g} に上げてください",
    "lower the rates from {before:g} to {after:g}": "率を {before:g} から {after:g} に下げてください",
    "raise the rate at {site} from {before:g} to {after:g}": "{site} の率を {before:g} から {after:g} に上げてください",
    "lower the rate at {site} from {before:g} to {after:g}": "{site} の率を {before:g} から {after:g} に下げてください",
    "weight decay {decay:g}": "重み減衰を {decay:g} にしてください",
    ("the validation set has about {rows} rows: its {share:.1f} % are known to ± {half:.1f} points only"): (
        "検証データは約 {rows} 件で、正解率 {share:.1f} % には ± {half:.1f} ポイントの不確かさがあります"
    ),
    # live
    "the loss is not finite": "損失が有限の値でなくなりました",
    "validation has risen by {sigmas:.1f} standard errors since epoch {epoch}": (
        "エポック {epoch} 以降、検証が標準誤差の {sigmas:.1f} 倍上がりました"
    ),
    "another {epochs} epochs would gain nothing worth having": (
        "あと {epochs} エポック続けても、意味のある改善は見込めません"
    ),
    # command line
    "Say what the curves of a training run mean: overfitting or not, since when, how sure, and what to do next.\n\n"
    "Reads CSV, JSON, Keras, Lightning, Hugging Face, TensorBoard, MLflow and Weights & Biases histories; a folder "
    "means all runs in it.\n\n"
    "Examples: sukima diagnose history.csv; sukima diagnose run1.json run2.json --check; "
    "sukima diagnose train.log --pattern 'loss {{loss}} val {{val_loss}}'": (
        "学習曲線を読み、過学習かどうか、いつからか、どれほど確かか、次に何をすべきかを示します。\n\n"
        "CSV、JSON、Keras、Lightning、Hugging Face、TensorBoard、MLflow、Weights & Biases の履歴を読めます。"
        "フォルダーを渡すと、その中のすべての実行を診断します。\n\n"
        "例: sukima diagnose history.csv、sukima diagnose run1.json run2.json --check、"
        "sukima diagnose train.log --pattern 'loss {{loss}} val {{val_loss}}'"
    ),
    "Histories, or folders of them.": "学習履歴のファイル、またはそれを含むフォルダー。",
    "Which columns are meant, where names do not say.": "名前から分からない場合に、どの列を使うかを指定します。",
    "For text logs: a piece of a line, with {{loss}} and {{val_loss}} in it.": (
        "テキストログ用: 行の一部を、数値の位置に {{loss}} や {{val_loss}} を置いて書きます。"
    ),
    "All histories are seeds of one configuration; judge them together.": (
        "すべての履歴を同じ設定の異なるシードとみなし、まとめて診断します。"
    ),
    "The recipe that was in force; the advice goes by it.": "学習に使ったレシピ。助言はこれを踏まえます。",
    "The task: its model's sites and amount of data.": "タスク。モデルのサイトとデータ量を助言に使います。",
    "Number of training rows.": "訓練データの件数。",
    "Number of input features.": "入力の特徴量の数。",
    "Where to write the recipe to try next: .toml or .json.": "次に試すレシピの書き出し先（.toml または .json）。",
    "Where to draw the curves: a .png, .svg or .html file.": "曲線を描くファイル（.png、.svg、.html）。",
    "--map must look like train=A,val=B, got {value}": (
        "--map は train=A,val=B の形でなければなりません（指定値: {value}）"
    ),
    "training loss": "訓練損失",
    "validation loss": "検証損失",
    "training metric": "訓練の評価指標",
    "validation metric": "検証の評価指標",
    "{source}: {kind}, {epochs} epochs; {columns}": "{source}: {kind}、{epochs} エポック、{columns}",
    "Picture: {path}": "図: {path}",
    "no recipe follows from this verdict": "この判定から導けるレシピはありません",
    "Recipe to try next: {path}": "次に試すレシピ: {path}",
    "{path}: a picture is a .png or .svg file (the command also writes .html), got {suffix}": (
        "{path}: 図は .png か .svg のファイルでなければなりません。コマンドなら .html も書けます（指定値: {suffix}）"
    ),
}
