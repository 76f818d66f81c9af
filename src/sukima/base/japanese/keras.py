"""Texts of the layers and recipes for Keras."""

TEXTS = {
    "model: expected a sequential or functional one where dropout is inserted or replaced, got {kind}; put "
    "layers of sukima.keras into it instead": (
        "ドロップアウトを挿入・置換できるのは Sequential か Functional のモデルだけです（model: {kind}）。"
        "sukima.keras の層をモデルに直接入れてください"
    ),
    "model must be built: give it an Input, or call it on a batch, before a recipe is applied": (
        "model は構築済みでなければなりません。Input を与えるかバッチで一度呼び出してから、レシピを適用してください"
    ),
    "penalties: an orthogonal penalty needs a matrix in Keras, got {count} dimensions in {layer}": (
        "penalties: Keras の直交ペナルティは行列にだけ使えます（{layer} の重みは {count} 次元）"
    ),
    "{kind} has no {form} step in Keras": "{kind} には Keras での {form} ステップがありません",
    "{name} must be a pair of arrays, a keras.utils.PyDataset, a tf.data.Dataset or a DataLoader with a Keras "
    "model, got {kind}": (
        "Keras のモデルでは {name} は配列の組 (入力, 正解)、keras.utils.PyDataset、tf.data.Dataset、DataLoader の"
        "いずれかでなければなりません（指定値: {kind}）"
    ),
    "{name} must give batches, got single rows: call .batch() on the data set": (
        "{name} はバッチを返さなければなりませんが、1 行ずつ返しています。データセットの .batch() を呼んでください"
    ),
    "{name} must come to an end, got a data set that repeats for ever": (
        "{name} には終わりが必要ですが、指定されたデータセットは無限に繰り返します"
    ),
    "Keras does not know how the layers of a {kind} follow": "{kind} の層のつながりは Keras から分かりません",
    "the data are not arrays": "データが配列ではありません",
    "model() must give a keras.Model, got {kind}": "model() は keras.Model を返さなければなりません（戻り値: {kind}）",
    "model() must make a new model at each call, got {name} again": (
        "model() は呼び出しごとに新しいモデルを作らなければなりません（{name} が再び返されました）"
    ),
    "recipe: expected rates of layers of sukima.keras in the model; where dropout is inserted or "
    "replaced, fit the handle's model: applied = sukima.apply(model, recipe); applied.model.fit(…, "
    "callbacks=[SukimaCallback(applied)])": (
        "recipe: ここで設定できるのはモデル内の sukima.keras の層の rate だけです。"
        "ドロップアウトの挿入や置換をする場合は、ハンドルのモデルを学習させてください: "
        "applied = sukima.apply(model, recipe); applied.model.fit(…, "
        "callbacks=[SukimaCallback(applied)])"
    ),
    "recipe: expected a handle whose .model is the one that is fitted, got that of another": (
        "recipe: .model が学習中のモデルであるハンドルを渡してください（別のモデルのハンドルが渡されました）"
    ),
    "fit: expected validation_data or validation_split with SukimaCallback, got none": (
        "fit: SukimaCallback には validation_data か validation_split が必要です"
    ),
    "Epoch {epoch}: overfitting since epoch {onset}. {why}": (
        "エポック {epoch}: エポック {onset} から過学習が始まっています。{why}"
    ),
    "input_noise needs an array of floating-point inputs with a Keras model, got {kind}": (
        "Keras のモデルで input_noise を使うには、入力が浮動小数点数の配列でなければなりません（指定値: {kind}）"
    ),
    "triton: expected it to be loaded before TensorFlow (both bring LLVM, and the process would end), got it after; "
    "write 'import triton' above the import of TensorFlow or Keras": (
        "triton は TensorFlow より先に読み込む必要があります（どちらも LLVM を含み、逆の順ではプロセスが落ちます）。"
        "TensorFlow や Keras の import より上に 'import triton' と書いてください"
    ),
    "mixup must be 0 with a Keras model, got {value}": (
        "Keras のモデルでは mixup は 0 でなければなりません（指定値: {value}）"
    ),
}
