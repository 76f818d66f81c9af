"""Training: data, losses, metrics, progress."""

TEXTS = {
    "baseline and arm must have equally many values, at least one, got {baseline} and {arm}": (
        "基準と比較対象の値は同数（1 個以上）でなければなりません（基準 {baseline} 個、比較対象 {arm} 個）"
    ),
    "Baseline and guideline": "基準と目安の学習",
    "Search": "探索",
    "Final comparison": "最終比較",
    "Training": "学習",
    "epoch {epoch}/{epochs}, loss {losses}": "エポック {epoch}/{epochs}、損失 {losses}",
    "model() must give a torch.nn.Module, got {kind}": (
        "model() は torch.nn.Module を返さなければなりません（戻り値: {kind}）"
    ),
    "model() must have parameters to train, got none": "model() に学習できるパラメーターがありません",
    "model() must make new weights at each call, got {name} of an earlier model again": (
        "model() は呼ぶたびに新しい重みを作らなければなりません（{name} が前のモデルと共有されています）"
    ),
    "options must be what the model factory takes, got {options}: {why}": (
        "options はモデルを作る関数が受け取れるものでなければなりません（指定値: {options}、{why}）"
    ),
    "loss(outputs, targets) must give a tensor with one number, got {value}": (
        "loss(outputs, targets) は 1 つの数値のテンソルを返さなければなりません（戻り値: {value}）"
    ),
    "model: expected to take {name} inputs of {inputs}, got {kind}: {why}": (
        "model: {name} の入力 {inputs}を受け取れません（{kind}: {why}）"
    ),
    "{what}: expected to take outputs of {outputs} and {name} targets of {targets}, got {kind}: {why}": (
        "{what}: 出力 {outputs} と {name} の正解 {targets} を受け取れません（{kind}: {why}）"
    ),
    "interrupted in epoch {epoch}": "エポック {epoch} で中断しました",
    "the loss became {value} in epoch {epoch}": "エポック {epoch} で損失が {value} になりました",
    "metric_increases must be {expected} for {metric}, got {value}": (
        "{metric} では metric_increases は {expected} でなければなりません（指定値: {value}）"
    ),
    "validation must leave rows on both sides, got the fraction {value} of {rows} rows": (
        "validation は訓練側と検証側の両方に行を残さなければなりません（{rows} 行に対する割合 {value}）"
    ),
    "{name} must be finite, got NaN or infinite values": "{name} に NaN または無限大が含まれています",
    "{name}: each batch must be a pair (inputs, targets), got {kind}": (
        "{name}: 各バッチは (入力, 正解) の組でなければなりません（{kind} でした）"
    ),
    "{name} must be numbers in equal rows, got dtype {dtype}": (
        "{name} は長さのそろった数値の配列でなければなりません（dtype: {dtype}）"
    ),
    "label_smoothing must be 0 unless loss is 'cross_entropy', got {value}": (
        "label_smoothing は損失が 'cross_entropy' のときだけ使えます（指定値: {value}）"
    ),
    "loss 'cross_entropy' needs outputs of shape (batch, classes) with at least 2 classes, got shape {shape}": (
        "損失 'cross_entropy' には形状 (バッチ, クラス数) で 2 クラス以上の出力が必要です（形状: {shape}）"
    ),
    "{name} must be classes in [0, {last}] (the model has {classes} outputs), got {wrong}": (
        "{name} は [0, {last}] のクラス番号でなければなりません（モデルの出力は {classes} 個、見つかった値: {wrong}）"
    ),
    "targets must have one number for each output {outputs}, got shape {targets}": (
        "正解は出力 {outputs} と同じ個数の数値でなければなりません（形状: {targets}）"
    ),
    "targets must be class numbers or one-hot rows of shape {outputs}, got {dtype} of shape {targets}": (
        "正解はクラス番号か形状 {outputs} の one-hot でなければなりません（{dtype}、形状 {targets}）"
    ),
    "given up after epoch {epoch}": "{epoch} エポックで打ち切り",
    "Candidates are trained one by one, not as a stack: {why}.": (
        "候補はまとめて学習できないため、ひとつずつ学習します（理由: {why}）。"
    ),
    "its process was killed, perhaps for want of memory": (
        "プロセスが強制終了されました（メモリ不足の可能性があります）"
    ),
    "address must be left out unless engine is 'ray', got {value}": (
        "address は engine が 'ray' のときだけ指定できます（指定値: {value}）"
    ),
    "address: expected that of a Ray cluster that can be reached, got {address} ({why})": (
        "address: 接続できる Ray クラスターのアドレスを指定してください（指定値: {address}、{why}）"
    ),
    "address: workers cannot begin on the cluster ({why})": (
        "address: クラスター上でワーカーを起動できません（{why}）"
    ),
    "{name}: expected what can be sent to the cluster by pickling, got one that cannot ({why})": (
        "{name}: クラスターへ送るため pickle できるものでなければなりません（{why}）"
    ),
}
