"""Texts of tuning: spaces, studies, budgets, and the command."""

from __future__ import annotations

TEXTS = {
    "Finalists": "最終候補",
    "not a trial: {why}": "試行として読み取れません（{why}）",
    "budget must be a time above 0 such as '90s', '10min' or '1.5h', got {value}": (
        "budget には '90s'、'10min'、'1.5h' のような 0 より長い時間を指定してください（指定値: {value}）"
    ),
    "the value is not a number": "値が数値になりませんでした",
    "study {name}: expected one to {direction}, got one to {found}": (
        "study {name}: 目的の向きが {direction} であるはずですが、保存されているものは {found} です"
    ),
    "storage: expected one that can be written, got {storage} ({why})": (
        "storage: 書き込める保存先を指定してください（指定値: {storage}、{why}）"
    ),
    "storage: {storage} cannot be used any more ({why}); the study is paused, and goes on when the same "
    "command is run again": (
        "storage: {storage} に書き込めなくなりました（{why}）。探索は中断しました。"
        "同じコマンドを再度実行すると続きから再開します"
    ),
    "{name}: values must be different and at least one, got {values}": (
        "{name}: 値は重複のない 1 個以上でなければなりません（指定値: {values}）"
    ),
    "{name}: usual must be one of the values {values}, got {value}": (
        "{name}: usual は {values} のいずれかでなければなりません（指定値: {value}）"
    ),
    "{name}: {value} cannot be used: {why}": "{name}: {value} は使えません（{why}）",
    "dimensions must have different names, got {name} twice": "dimensions の名前が重複しています（{name}）",
    "a space must have at least one dimension, got none": "探索空間には次元が 1 つ以上必要です（指定なし）",
    "space: the ladder needs at least one rate to climb, got {names}": (
        "space: ladder にはドロップ率の次元が 1 つ以上必要です（指定された次元: {names}）"
    ),
    "the task cannot be trained: {why}": "このタスクは学習できません（{why}）",
    "Searching until {time} are spent.": "{time} を使い切るまで探索します。",
    "The budget was spent before the end: this is what is known so far.": (
        "時間切れです。ここまでに分かったことを示します。"
    ),
    "The budget was spent before anything was trained. Kernels are compiled once on a machine, so that the next run "
    "begins sooner.": (
        "何も学習しないうちに時間切れになりました。カーネルのコンパイルはマシンごとに一度だけなので、次回はすぐに始まります。"
    ),
    "Find the recipe that generalises best, and say whether it helps.\n\n"
    "Trains without dropout and with the guideline's rates, says whether that overfits, searches on validation data, "
    "picks the winner among the best few with fresh seeds, then compares once on test data. Prints the winning recipe "
    "as code and writes a report page.\n\n"
    "Everything is kept in an Optuna study: stop it at any moment, and the same command goes on where it was.\n\n"
    "Examples: sukima tune; sukima tune my_task.py --budget 10min; "
    "sukima tune my_task.py:task --by accuracy --space usual": (
        "汎化性能が最もよいレシピを探し、本当に効くかを示します。\n\n"
        "ドロップアウトなしと目安のドロップ率で学習して過学習の有無を判定し、検証データで探索します。"
        "上位の数候補を新しいシードで学習し直して勝者を選び、最後にテストデータで一度だけ比較します。"
        "最良のレシピをコードとして表示し、レポートを書き出します。\n\n"
        "経過はすべて Optuna の study に保存されます。いつ止めても、同じコマンドで続きから再開できます。\n\n"
        "例: sukima tune、sukima tune my_task.py --budget 10min、"
        "sukima tune my_task.py:task --by accuracy --space usual"
    ),
    "What to vary: 'rates', 'usual' (weight decay, max-norm and label smoothing as well), 'full', or "
    "FILE.py:NAME of a sukima.Space.": (
        "探索するもの: 'rates'（ドロップ率のみ）、'usual'（重み減衰・最大ノルム・ラベル平滑化も）、'full'（すべて）、"
        "または sukima.Space を指す FILE.py:NAME。"
    ),
    "How to search: {names}.": "探索の方法: {names}。",
    "How long all of it may take, such as '90s', '10min' or '1.5h'.": (
        "全体にかけてよい時間。例: '90s'、'10min'、'1.5h'。"
    ),
    "How many candidates to try; the ladder ends by itself.": "試す候補の数。ladder は自動的に終わります。",
    "Where the study is kept: a database URL as Optuna takes it, 'journal:FILE', or 'none' to keep it in memory "
    "alone.": (
        "study の保存先。Optuna の形式のデータベース URL、'journal:FILE'（ジャーナルファイル）、"
        "またはメモリだけに置く 'none'。"
    ),
    "The study's name; by default one made from task and settings.": (
        "study の名前。指定しなければタスクと設定から作られます。"
    ),
    "Where to train: 'local', on this machine, or 'ray', on a Ray cluster.": (
        "学習する場所: 'local'（このマシン）または 'ray'（Ray クラスター）。"
    ),
    "How many train at once; one for each core, or processor of the cluster.": (
        "同時に学習する数。既定はコア数、またはクラスターの空きプロセッサー数。"
    ),
    "The Ray cluster's address, such as 'HOST:6379'; by default the one that Ray finds.": (
        "Ray クラスターのアドレス。例: 'HOST:6379'。既定では Ray が見つけたもの。"
    ),
    "Each dot is the best candidate with that rate, whatever its other rates; the shaded range cannot be told "
    "from the best.": (
        "点は、その率をもつ候補のうち最良のもの（ほかの率は問わない）。網掛けの範囲は最良と区別できません。"
    ),
    "The strategy {strategy} tried {count} candidates: {whole} were trained to their end, {given_up} were given up "
    "on the way, {failed} failed.": (
        "探索方法 {strategy} で {count} 候補を試しました。"
        "最後まで学習したもの {whole}、途中で打ち切ったもの {given_up}、失敗 {failed}。"
    ),
    "what varies": "動かしたもの",
    "share in what made candidates differ": "候補の差への寄与",
    "What matters": "何が効いたか",
    "candidate": "候補",
    "The best candidates of the search": "探索で上位の候補",
    "The best few were trained again with {seeds} fresh seeds, since the best of many is partly luck. The winner is "
    "the one that gains most over the baseline here, if that gain exceeds its standard error.": (
        "多数の中の最良には運も含まれるため、上位の候補を新しいシード {seeds} 個で学習し直しました。"
        "ここでベースラインからの改善が最も大きく、それが標準誤差を超えたものを勝者とします。"
    ),
    "The best were trained again with one fresh seed, since the best of many is partly luck; time did not last for "
    "more, so their runs of the search count as well. The winner is the better one here; whether it is better than the "
    "baseline is what the final comparison tells.": (
        "多数の中の最良には運も含まれるため、上位の候補を新しいシード 1 個で学習し直しました。"
        "時間の都合でシードはこれ以上増やせなかったため、探索での結果も合わせて判断しています。"
        "ここで最も良かったものを勝者とします。ベースラインより良いかどうかは最後の比較で確かめます。"
    ),
    "{level} % interval": "{level} % 信頼区間",
    "The finalists, on validation data": "最終候補（検証データ）",
    "as trainings of full length": "通しの学習に換算",
    "gain over {arm}": "{arm}からの改善",
    "strategy": "探索方法",
    "seeds of the finalists": "最終候補のシード",
    "study": "study",
    "objective must be a function of a recipe and a report, got {kind}": (
        "objective にはレシピと report を受け取る関数を指定してください（指定値: {kind}）"
    ),
    "objective: expected at least one candidate to give a number, got {why}": (
        "objective: 数値を返した候補がひとつもありません（{why}）"
    ),
    "objective must give a History or a number, got {kind}": (
        "objective は History か数値を返さなければなりません（返り値: {kind}）"
    ),
    "A candidate failed: {why}": "候補が失敗しました（{why}）",
    "There was no time to train the best with fresh seeds: nothing is claimed.": (
        "上位の候補を新しいシードで学習し直す時間がなかったため、効果は判定していません。"
    ),
    "the loss became {value} while rates were learned": "ドロップ率の学習中に損失が {value} になりました",
    "site {site}: rates are learned before a linear layer or a convolution, got {layer}": (
        "サイト {site}: ドロップ率を学習できるのは全結合層か畳み込み層の手前だけです（次の層: {layer}）"
    ),
    "space: there must be at least one rate to learn, got {names}": (
        "space: 学習するドロップ率の次元が 1 つ以上必要です（指定された次元: {names}）"
    ),
    "The learned rates have not converged: begun at {first} and {second} they end apart ({rates}). Train longer, "
    "or search.": (
        "学習したドロップ率が収束していません。初期値 {first} と {second} で結果が離れています（{rates}）。"
        "エポック数を増やすか、探索を使ってください。"
    ),
    "{minutes} min {seconds} s of the budget left": "残り時間 {minutes} 分 {seconds} 秒",
    "Also write every run's curves for TensorBoard here.": (
        "すべての学習曲線を TensorBoard 用にこのフォルダへも書き出します。"
    ),
    "Also write every run to this MLflow server or database, such as 'sqlite:///mlflow.db'.": (
        "すべての実行を、指定した MLflow のサーバーまたはデータベース（例: 'sqlite:///mlflow.db'）にも記録します。"
    ),
    "{name}: MLflow refuses: {why}": "{name}: MLflow に記録できません（{why}）",
    "validation loss": "検証損失",
    "trials": "試行",
    "curve": "曲線",
}
