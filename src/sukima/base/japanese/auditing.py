"""What audit says: its findings, notes and command."""

TEXTS = {
    "{path}: no such file or folder": "{path}: ファイルもフォルダーも見つかりません",
    "target must be a path, a torch.nn.Module or a Keras model, got {value}": (
        "target はパス、torch.nn.Module、Keras モデルのいずれかでなければなりません（指定値: {value}）"
    ),
    "target must be a torch.nn.Module, got {value}": (
        "target は torch.nn.Module でなければなりません（指定値: {value}）"
    ),
    "model must be a torch.nn.Module or a Keras model, got {value}": (
        "model は torch.nn.Module か Keras モデルでなければなりません（指定値: {value}）"
    ),
    "example_input must be something the model accepts, got {reason}": (
        "example_input はモデルが受け取れる入力でなければなりません（{reason}）"
    ),
    "{path}: {reason}": "{path}: {reason}",
    "{path}: no object called {name}": "{path}: {name} という名前のものはありません",
    "too deeply nested to follow; skipped": "入れ子が深すぎて追えないため飛ばしました",
    "not valid Python 3 (line {line}); skipped": "Python 3 として解釈できないため飛ばしました（{line} 行目）",
    "cannot be parsed; skipped": "構文解析できないため飛ばしました",
    "skipped: larger than {limit} MB": "{limit} MB を超えるため飛ばしました",
    "skipped: not a regular file": "通常のファイルではないため、飛ばしました",
    "cannot be read: {reason}": "読み込めません: {reason}",
    "not valid in its declared encoding; read as Latin-1": (
        "宣言された文字コードでは読めないため Latin-1 として読みました"
    ),
    "not a notebook that can be read": "ノートブックとして読めません",
    "one cell is not valid Python 3; skipped": "Python 3 として解釈できないセル 1 個を飛ばしました",
    "{count} cells are not valid Python 3; skipped": "Python 3 として解釈できないセル {count} 個を飛ばしました",
    "no rule is called {code}; `sukima audit --explain all` lists them": (
        "{code} という規則はありません。一覧は `sukima audit --explain all` で見られます"
    ),
    "{files}: {errors}, {warnings}, {advice}": "{files}: {errors}、{warnings}、{advice}",
    "{count} file": "{count} ファイル",
    "{count} files": "{count} ファイル",
    "{count} error": "エラー {count} 件",
    "{count} errors": "エラー {count} 件",
    "{count} warning": "警告 {count} 件",
    "{count} warnings": "警告 {count} 件",
    "{count} piece of advice": "助言 {count} 件",
    "{count} pieces of advice": "助言 {count} 件",
    "{count} can be fixed with --fix": "{count} 件は --fix で直せます",
    "one finding mended": "1 件を直しました",
    "{count} findings mended": "{count} 件を直しました",
    "Wrong:": "悪い例:",
    "Right:": "良い例:",
    # Findings
    "Adam's weight_decay is an L2 term, not decoupled decay": (
        "Adam の weight_decay は L2 項であり、分離型の重み減衰ではありません"
    ),
    "dropout acts after the output layer {layer}: predictions are dropped": (
        "出力層 {layer} の後でドロップアウトしており、予測そのものが落とされます"
    ),
    "attention drops at evaluation too: {argument}={rate} does not look at the mode": (
        "{argument}={rate} が学習・推論の別を見ていないため、評価時にもアテンションが落とされます"
    ),
    "random augmentation on data that is held out": "評価用のデータにランダムな拡張がかかっています",
    "random augmentation ({what}) on data that is held out": "評価用のデータにランダムな拡張（{what}）がかかっています",
    "dropout stands right before batch normalisation {norm}": "バッチ正規化 {norm} の直前にドロップアウトがあります",
    "dropout stands right before a softmax: a dropped score still gets a share": (
        "softmax の直前にドロップアウトがあります。落としたスコアにも確率が割り当てられます"
    ),
    "dropout stands between a convolution and its norm {norm}": (
        "畳み込みとその正規化 {norm} の間にドロップアウトがあります"
    ),
    "{name} with type=bool is true for every text, 'False' included": (
        "{name} は type=bool のため、'False' を含むどんな文字列でも真になります"
    ),
    "{name} with type=int cannot hold a rate between 0 and 1": (
        "{name} は type=int のため、0 から 1 の間のドロップ率を表せません"
    ),
    "{name} acts on the two-dimensional result of {layer}": "{name} が {layer} の 2 次元の出力にかかっています",
    "dropout acts on an embedding that is compared by distance ({how})": (
        "距離で比べる埋め込みにドロップアウトがかかっています（{how}）"
    ),
    "{model} is trained in eval mode": "{model} が評価モードのまま学習されています",
    "{name} drops at evaluation too: it ran with training=True in eval mode": (
        "{name} は評価モードでも training=True で動きました。評価時にもドロップします"
    ),
    "{name} takes the rate second: the mode is passed as the rate, and dropout is on at evaluation": (
        "{name} の第 2 引数はドロップ率です。モードがドロップ率として渡され、評価時にもドロップします"
    ),
    "{name} drops at evaluation too: no training= is passed": (
        "{name} に training= が渡されていないため、評価時にもドロップします"
    ),
    "dropout is forced on by {switch}: it drops at evaluation too": (
        "{switch} によりドロップアウトが常に有効です。評価時にもドロップします"
    ),
    "{switch} is a method, which is always true: dropout is on at evaluation": (
        "{switch} はメソッドなので常に真です。評価時にもドロップします"
    ),
    "{switch} is the wrong way round: dropout is on at evaluation and off in training": (
        "{switch} は逆です。評価時にドロップし、学習時にはドロップしません"
    ),
    "rate {rate} right after the input; usual there is at most {limit}": (
        "入力直後のドロップ率が {rate} です。ここでは {limit} 以下が普通です"
    ),
    "{name} looks like a keep probability; the rate is the probability of dropping": (
        "{name} は残す確率のようです。ここで渡すのは落とす確率です"
    ),
    "{call} is forced into training mode: dropout stays on at inference": (
        "{call} が学習モードに固定されており、推論時にもドロップします"
    ),
    "the learning phase is set to training for good": "学習フェーズが学習に固定されたままです",
    "{model} is trained without training=True": "{model} が training=True なしで学習されています",
    "{model} is trained without training=True: its dropout never drops": (
        "{model} が training=True なしで学習されており、ドロップアウトが一度も働きません"
    ),
    "dropout starts only when {when}": "ドロップアウトが {when} になるまで始まりません",
    "{name} sums batch means and is divided by the number of samples": (
        "{name} はバッチ平均の合計なのにサンプル数で割られています"
    ),
    "{name} is made anew in every pass: eval() cannot reach it": (
        "{name} が呼び出しのたびに作られており、eval() が届きません"
    ),
    "a hand-written dropout mask that never looks at the mode": (
        "手書きのドロップアウトマスクが学習・推論の別を見ていません"
    ),
    "a hand-written dropout mask without the scale 1/(1 − rate)": (
        "手書きのドロップアウトマスクに 1/(1 − ドロップ率) の補正がありません"
    ),
    "{model} is evaluated in training mode: no_grad() does not switch dropout off, eval() does": (
        "{model} が学習モードのまま評価されています。no_grad() ではドロップアウトは止まりません。止めるのは eval() です"
    ),
    "{model} is evaluated in training mode: eval() was not called": (
        "{model} が学習モードのまま評価されています（eval() が呼ばれていません）"
    ),
    "{name} is true unless the caller of forward passes it: eval() does not switch dropout off": (
        "{name} は forward の呼び出し側が渡さない限り True です。eval() ではドロップアウトが止まりません"
    ),
    "{site} is made and never applied": "{site} は作られていますが、どこでも使われていません",
    "{model} is trained on after this eval(): train() is not called before the next step": (
        "この eval() の後も {model} の学習が続きますが、train() に戻されていません"
    ),
    "{model} is evaluated under no_grad() but eval() was not called": (
        "{model} は no_grad() の下で評価されていますが、eval() が呼ばれていません"
    ),
    "{model} is evaluated but eval() was not called": "{model} は評価されていますが、eval() が呼ばれていません",
    "the penalty covers biases and norms too": "ペナルティがバイアスや正規化層にもかかっています",
    "{name}: a penalty on biases and norms": "{name}: バイアスや正規化層へのペナルティです",
    "rate {rate} beside batch normalisation; usual there is at most {high}": (
        "バッチ正規化と併用するドロップ率が {rate} です。併用時は {high} 以下が普通です"
    ),
    "rate {rate} is above the usual {low}–{high} for this place ({where})": (
        "ドロップ率 {rate} は、この場所（{where}）の目安 {low}～{high} を超えています"
    ),
    "rate {rate} drops everything": "ドロップ率 {rate} ではすべてが落とされます",
    "the option {name} is parsed and never read: nothing is dropped": (
        "オプション {name} は読み取られるだけで使われず、何もドロップされません"
    ),
    "the parameter {name} of {owner} is never used: nothing is dropped": (
        "{owner} の引数 {name} は使われておらず、何もドロップされません"
    ),
    "rate {rate}: hardly anything is left": "ドロップ率 {rate} ではほとんど何も残りません",
    "{target} is set to 0 for evaluation and never back": "{target} が評価のために 0 にされ、元に戻されていません",
    "dropout in a {name} of one layer does nothing": "1 層の {name} では dropout 引数は働きません",
    "the result of {call} is thrown away": "{call} の結果が捨てられています",
    "the rates rise with depth: {rates}": "ドロップ率が深い層ほど高くなっています: {rates}",
    "a softmax before cross-entropy, which applies its own": (
        "交差エントロピーの前に softmax があります。交差エントロピー自身も softmax を行います"
    ),
    "the model ends in a softmax and the loss applies another": (
        "モデルの最後が softmax で、損失がもう一度 softmax を行います"
    ),
    "early stopping chooses by the test data ({data})": "早期終了がテストデータ（{data}）で判断しています",
    "early stopping watches {monitor}, a metric of the training data": (
        "早期終了が学習データの指標 {monitor} を監視しています"
    ),
    "{name} never drops: training= is missing and is false by default": (
        "{name} は training= の既定値が偽なので、何もドロップしません"
    ),
    "{name} never drops: its switch is false": "{name} はスイッチが偽なので、何もドロップしません",
    "a second dropout follows {first} at once: together they drop {both:.0%}": (
        "{first} のすぐ後に 2 つ目のドロップアウトがあり、合わせて {both:.0%} を落とします"
    ),
    "a second dropout follows {first} at once": "{first} のすぐ後に 2 つ目のドロップアウトがあります",
    "unit dropout on feature maps; whole channels regularize better": (
        "特徴マップに要素単位のドロップアウトがかかっています。チャンネル単位のほうがよく効きます"
    ),
    "a dropout as a default argument: eval() does not reach it": (
        "既定の引数になっているドロップアウトには eval() が届きません"
    ),
    "{name} lives outside the module that applies it: eval() does not reach it": (
        "{name} は、それを使うモジュールの外にあるため eval() が届きません"
    ),
    "self.{name} is a plain container: eval() does not reach the dropout in it": (
        "self.{name} は普通のコンテナーなので、中のドロップアウトに eval() が届きません"
    ),
    "self.{name} is a plain {kind}: eval() does not reach the dropout in it": (
        "self.{name} は普通の {kind} なので、中のドロップアウトに eval() が届きません"
    ),
    "the pixels of {data} go into training unscaled (0–255)": ("{data} の画素値が 0～255 のまま学習に使われています"),
    "{owner} is made without {name}, which is 0 by default: nothing is dropped": (
        "{owner} が {name} なしで作られています。既定値は 0 なので、何もドロップされません"
    ),
    "{first} and {second} drop the same elements": "{first} と {second} が同じ要素を落としています",
    "the inputs are not scaled: mean {mean}, deviation {spread}": (
        "入力がスケーリングされていません（平均 {mean}、標準偏差 {spread}）"
    ),
    "the model is trained on in eval mode: train() was not called after validation": (
        "検証後に train() が呼ばれず、評価モードのまま学習が続いています"
    ),
    "the model is trained in eval mode: train() was never called": (
        "train() が一度も呼ばれず、評価モードのまま学習されています"
    ),
    "{site} drops although gradients are off: eval() was not called": (
        "勾配が無効なのに {site} がドロップしています（eval() が呼ばれていません）"
    ),
    "{site} drops the same elements on every rank": "{site} が全ランクで同じ要素を落としています",
    "{site} has rate {rate} and never dropped anything in training": (
        "{site} のドロップ率は {rate} ですが、学習中に一度も何も落としませんでした"
    ),
    "the mask of {site} never changes": "{site} のマスクが一度も変わりません",
    "{site} runs with rate {rate}, the recipe with {wanted}": (
        "{site} のドロップ率は {rate} で、レシピの {wanted} と違います"
    ),
    # The command
    "Find what is wired wrong with dropout and its kin, in source files or in a model.\n\n"
    "Files and folders are read and never run; file.py:name runs the file and looks at the model itself.\n\n"
    "Examples: sukima audit src/ train.py; sukima audit model.py:build; sukima audit . --fix; "
    "sukima audit --explain SK101": (
        "ドロップアウトや正則化の配線ミスを、ソースファイルやモデルから見つけます。\n\n"
        "ファイルやフォルダーは読むだけで実行しません。file.py:name を指定すると、ファイルを実行してモデルそ"
        "のものを調べます。\n\n"
        "例: sukima audit src/ train.py、sukima audit model.py:build、sukima audit . --fix、"
        "sukima audit --explain SK101"
    ),
    "Files, folders or models.": "ファイル、フォルダー、またはモデル。",
    "Run only these codes.": "これらのコードだけを調べます。",
    "Leave these codes out.": "これらのコードを除きます。",
    "Leave these files out.": "これらのファイルを除きます。",
    "Explain a code, or 'all'.": "コードの説明を表示します。'all' で一覧を表示します。",
    "Mend what can be mended safely.": "安全に直せるものを直します。",
    "Show what --fix would change.": "--fix による変更内容を表示します。",
    "With --fix or --diff: also fixes that may change results.": (
        "--fix や --diff で、結果が変わりうる修正も対象にします。"
    ),
    "How to print findings.": "結果の表示形式。",
    "expected a file, a folder or file.py:name; `sukima audit .` audits this folder": (
        "ファイル、フォルダー、または file.py:name を指定してください。`sukima audit .` で現在のフォルダーを調べます"
    ),
}
