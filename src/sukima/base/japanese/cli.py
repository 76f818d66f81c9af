"""The command line: help and closing words."""

TEXTS = {
    "Recipes from {target}: {names}": "{target} のレシピを使います: {names}",
    "Dropout and regularization done properly: tune it, compare it, and see whether it helps.": (
        "ドロップアウトと正則化をきちんと使うための道具です。調整し、比較し、本当に効くかを確かめます。"
    ),
    "{option}: there is no such option": "{option}: そのようなオプションはありません",
    "{command}: there is no such command": "{command}: そのようなコマンドはありません",
    "{name} must be given, got nothing": "{name} を指定してください",
    "a whole number of at least {minimum}": "{minimum} 以上の整数",
    "{place}the file ends the program (exit code {code})": (
        "{place}ファイルがプログラムを終了させました（終了コード {code}）"
    ),
    "Print the version.": "バージョンを表示します。",
    "Language of everything shown; by default the locale's.": "表示言語。省略時はロケールに従います。",
    "Print the result as JSON for machines.": "結果をプログラム向けの JSON で出力します。",
    "A Python file with a sukima.Task, called 'task' unless named. Without it, real data are used.": (
        "sukima.Task を含む Python ファイル（名前を省くと 'task' を使います）。省略時は実データの例を使います。"
    ),
    "Without a file: the data set, 'digits' (the default) or 'mnist'.": (
        "ファイルを指定しないときのデータセット。'digits'（既定）または 'mnist'。"
    ),
    "What to go by: 'loss', or the task's metric by its name, such as 'accuracy'.": (
        "判断の基準。'loss'、または 'accuracy' などタスクの評価指標の名前。"
    ),
    "The most epochs a trial may take, instead of the task's.": "1 試行の最大エポック数。タスクの値より優先します。",
    "Where to write the report: a .html or .json file.": "レポートの書き込み先（.html または .json）。",
    "Fresh seeds for the final comparison on test data.": "テストデータでの最終比較に使う新しいシードの数。",
    "Seeds for each recipe of the search; 3, or fewer where the budget is short.": (
        "探索で各レシピに使うシードの数。既定は 3 で、予算が短いときは減らします。"
    ),
    "The first seed; another repeats the study independently.": (
        "最初のシード。変えると独立な試行としてやり直せます。"
    ),
    "Train recipes side by side with paired seeds, and say which of them really differ.\n\n"
    "The first recipe is the baseline. Without recipes, those are taken that stand beside the task in its file, in a "
    "dict called 'recipes'; else the usual ways to regularize are compared with none: dropout, L1, L2, early stopping, "
    "batch normalisation, augmentation, a smaller model, an ensemble and more. A single recipe is compared beside "
    "those.\n\n"
    "Finished runs are kept in a file; the same command again goes on where it was stopped.\n\n"
    "Examples: sukima compare; sukima compare my_task.py --recipe mine=recipe.toml; "
    "sukima compare my_task.py --recipe none= --recipe mine=recipe.toml": (
        "複数のレシピを同じシードの組で学習し、本当に差があるものを示します。\n\n"
        "最初のレシピが基準です。レシピを指定しないときは、タスクと同じファイルにある辞書 'recipes' を使います。"
        "それもなければ、正則化なしを基準に、ドロップアウト、L1、L2、早期終了、バッチ正規化、データ拡張、小さなモデル、"
        "アンサンブルなど代表的な手法をまとめて比べます。レシピをひとつだけ渡すと、これらに並べて比べます。\n\n"
        "終わった学習はファイルに残ります。途中で止めても、同じコマンドで続きから再開できます。\n\n"
        "例: sukima compare、sukima compare my_task.py --recipe mine=recipe.toml、"
        "sukima compare my_task.py --recipe none= --recipe mine=recipe.toml"
    ),
    "Where finished runs are kept; by default beside the report.": (
        "終わった学習を残すファイル。既定ではレポートと同じ場所に置きます。"
    ),
    "A recipe file (.toml, .json); without FILE, none.": (
        "レシピのファイル（.toml または .json）。FILE を省くと正則化なしです。"
    ),
    "A dict from names to recipes, called 'recipes'.": (
        "名前からレシピへの辞書（変数名を省くと 'recipes' を使います）。"
    ),
    "Paired seeds for each recipe.": "各レシピに共通して使うシードの数。",
    "--recipe must be NAME=FILE with a new name, got {value}": (
        "--recipe は重複しない名前で NAME=FILE の形に書いてください（指定値: {value}）"
    ),
    "Exit with 1 unless every verdict is healthy.": "すべてが健全と判定されなければ終了コード 1 で終わります。",
    "Report: {path}": "レポート: {path}",
    "Interrupted: this is what was done so far.": "中断しました。ここまでの結果を示します。",
    "{path}: expected an object called {name}, got {found}": (
        "{path}: {name} というオブジェクトがありません（候補: {found}）"
    ),
    "{path}: {name} must be a {kind}, got {value}": ("{path}: {name} は {kind} でなければなりません（{value} でした）"),
    "{path}: no such file": "{path}: ファイルがありません",
    "{path}: expected a Python file": "{path}: Python ファイルではありません",
    "{path}:{line}: {error}": "{path}:{line}: {error}",
    "--data must be left out where a file is given, got {value}": (
        "ファイルを指定したときは --data を使えません（指定値: {value}）"
    ),
}
