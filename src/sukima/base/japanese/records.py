"""Recipes, tasks, histories and the files they come from."""

TEXTS = {
    "input_noise and mixup need floating-point inputs, got {kind}": (
        "input_noise と mixup には浮動小数点の入力が必要です（入力: {kind}）"
    ),
    "input_noise and mixup are for tasks with a torch model; use Keras' own layers, such as GaussianNoise": (
        "input_noise と mixup は torch のモデルのタスク専用です。Keras では GaussianNoise などの層を使ってください"
    ),
    "noise {value} on the inputs": "入力にノイズ {value}",
    "mixup {value}": "mixup {value}",
    "loss must be a name or a callable, got the class {value}": (
        "loss は名前または呼び出し可能なものでなければなりません（クラス {value} はインスタンスにしてください）"
    ),
    "{name} must be a bool, str, 64-bit int or finite float, got {value}": (
        "{name} は真偽値、文字列、64 ビット整数、有限の実数のいずれかでなければなりません（指定値: {value}）"
    ),
    "{path}: {why}": "{path}: {why}",
    "not a recipe: {why}": "レシピとして読めません: {why}",
    "{name} must be a table from names to values, got {value}": (
        "{name} は名前から値への表でなければなりません（指定値: {value}）"
    ),
    "{path}: expected UTF-8 text, got other bytes at {place}": (
        "{path}: UTF-8 のテキストではありません（{place} バイト目）"
    ),
    "{path}: cannot be read ({why})": "{path}: 読み込めません（{why}）",
    "{path}: expected a file to write, got a folder": "{path}: 書き込み先にフォルダーが指定されています",
    "{path}: the folder {folder} does not exist": "{path}: フォルダー {folder} がありません",
    "{path}: no permission to write there": "{path}: 書き込む権限がありません",
    "training and validation {what} must be equally long, got {train} and {validation} epochs": (
        "訓練と検証の {what} は同じ長さでなければなりません（訓練 {train} エポック、検証 {validation} エポック）"
    ),
    "a history must have training and validation curves of the loss or of a metric, got none": (
        "履歴には損失または評価指標の訓練・検証曲線が必要ですが、見つかりません"
    ),
    "loss and metric must be equally long, got {loss} and {metric} epochs": (
        "損失と評価指標は同じ長さでなければなりません（損失 {loss} エポック、評価指標 {metric} エポック）"
    ),
    "{curve} must be finite, got {value} at epoch {epoch}": (
        "{curve} は有限の値でなければなりません（エポック {epoch} で {value}）"
    ),
    "model must be a function or class that makes a new model, got {value}": (
        "model は新しいモデルを作る関数またはクラスでなければなりません（指定値: {value}）"
    ),
    "{name} must be a name or a callable, got {value}": (
        "{name} は名前または呼び出し可能なものでなければなりません（指定値: {value}）"
    ),
    "validation must be data where train is not a pair of arrays, got the fraction {value}": (
        "train が配列の組でないときは validation にデータを指定してください（指定値: 割合 {value}）"
    ),
    "{name} must be a pair (inputs, targets), a Dataset or a DataLoader, got {value}": (
        "{name} は (入力, 正解) の組、Dataset、DataLoader のいずれかでなければなりません（指定値: {value}）"
    ),
    "{name}: inputs and targets must be equally long, got {inputs} and {targets}": (
        "{name}: 入力と正解は同じ件数でなければなりません（入力 {inputs} 件、正解 {targets} 件）"
    ),
    "{name} must not be empty, got no rows": "{name} が空です（1 件以上必要です）",
    "not a result of tune or compare: {why}": "tune・compare の結果として読めません: {why}",
    "{path}: not JSON ({why})": "{path}: JSON として読めません（{why}）",
    "{path}: expected a .json report that tune or compare wrote": (
        "{path}: tune か compare が書き出した .json レポートではありません"
    ),
}
