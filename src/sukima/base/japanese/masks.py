"""Masks and the layers that use them."""

TEXTS = {
    "{name} must be a floating-point tensor, got {value}": (
        "{name} は浮動小数点数のテンソルでなければなりません（指定値: {value}）"
    ),
    "{name} must have the input's shape, dtype and device ({expected}), got {value}": (
        "{name} の形状・dtype・デバイスは入力と同じ（{expected}）でなければなりません（指定値: {value}）"
    ),
    "{name} must not have two elements at one place in memory, got strides {value}": (
        "{name} の複数の要素が同じメモリを指していてはいけません（ストライド: {value}）"
    ),
    "{name} must not overlap the input, unless it is the input": (
        "{name} は、入力そのものである場合を除き、入力とメモリが重なってはいけません"
    ),
    "{name} cannot be given where gradients are asked for": "勾配を求める計算では {name} を指定できません",
    "{name} must be an integer tensor of one element, got {value}": (
        "{name} は要素が 1 個の整数テンソルでなければなりません（指定値: {value}）"
    ),
    "inside keyed(), a mask needs a module that is running to name its site; or give key=": (
        "keyed() の中では、マスクの位置を名付けるために実行中のモジュールが必要です。なければ key= を指定してください"
    ),
    "site {site} is used twice in one pass; tell its uses apart with call=": (
        "位置 {site} が 1 回の順伝播で 2 度使われています。call= で区別してください"
    ),
    "the shard {local} at {offset} must lie within {shape}": (
        "{offset} から始まる大きさ {local} のシャードは {shape} に収まらなければなりません"
    ),
    "{name} must have the shard's shape {expected}, got {value}": (
        "{name} の形状はシャードと同じ {expected} でなければなりません（指定値: {value}）"
    ),
    "{kind} masks are made for whole tensors, not for shards; gather the tensor first, or drop units, "
    "channels, positions or paths": (
        "種類「{kind}」のマスクはテンソル全体に対して作るもので、シャードには使えません。"
        "先にテンソルを集めるか、ユニット・チャネル・位置・パス単位のドロップアウトを使ってください"
    ),
    "a DTensor must be sharded or replicated, got the placement {value}": (
        "DTensor の配置は Shard か Replicate でなければなりません（指定値: {value}）"
    ),
    "{name} must have the shape {expected}, got {value}": (
        "{name} の形状は {expected} でなければなりません（指定値: {value}）"
    ),
    (
        "Measure what dropout costs on this machine: sukima, torch, torch.compile and what else is installed,\n"
        "beside the cost of a multiplication.\n\n"
        "Example: sukima bench --sizes 65536,1048576 --no-compile"
    ): (
        "このマシンでドロップアウトにかかる時間を測ります。sukima・torch・torch.compile のほか、導入済みのものと、\n"
        "単なる乗算の時間を並べて示します。\n\n"
        "例: sukima bench --sizes 65536,1048576 --no-compile"
    ),
    "Numbers of elements, separated by commas.": "要素数（カンマ区切り）。",
    "How long to measure each, about, in seconds.": "1 項目あたりのおおよその測定時間（秒）。",
    "Whether to include torch.compile.": "torch.compile も測るかどうか。",
    "Whether to include JAX, TensorFlow and Keras.": "JAX・TensorFlow・Keras も測るかどうか。",
    "Measuring": "測定中",
    "Dropout at rate 0.5, forward, float32: nanoseconds an element, and times the cost of sukima": (
        "ドロップアウト（率 0.5、順伝播、float32）: 1 要素あたりのナノ秒と、sukima に対する倍率"
    ),
    (
        "torch's own dropout cannot be keyed inside compiled code, where modules have no names any more; use "
        "sukima.torch.replace(model) before compiling, or compile outside keyed()"
    ): (
        "コンパイルされたコードではモジュール名が失われるため、torch 標準のドロップアウトに"
        "keyed() の鍵を割り当てられません。"
        "コンパイル前に sukima.torch.replace(model) を使うか、keyed() の外でコンパイルしてください。"
    ),
}
