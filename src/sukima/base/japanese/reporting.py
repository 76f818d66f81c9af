"""The report: headings, figures, verdicts and tables."""

TEXTS = {
    "epoch": "エポック",
    "training loss": "訓練損失",
    "validation loss": "検証損失",
    "training {metric}": "訓練{metric}",
    "validation {metric}": "検証{metric}",
    "Training and validation, with dropout off": "訓練と検証（どちらもドロップアウトなしで測定）",
    "judged ({epoch})": "評価時（{epoch}）",
    "last ({epoch})": "最終（{epoch}）",
    # Words
    "baseline": "ベースライン",
    "guideline": "目安の率",
    "winner": "最良レシピ",
    "tuned": "探索したレシピ",
    "none": "正則化なし",
    "loss": "損失",
    "metric": "評価指標",
    "accuracy": "正解率",
    "training": "訓練",
    "validation": "検証",
    "training data": "訓練データ",
    "validation data": "検証データ",
    "test data": "テストデータ",
    "rate": "率",
    "gap": "ギャップ",
    "gain": "改善量",
    "outcome": "判定",
    "noise": "誤差",
    "taken": "採用",
    "yes": "はい",
    "site": "サイト",
    "all sites": "全サイト",
    "after": "直前の層",
    "place": "位置",
    "dropout": "ドロップアウト",
    "arm": "条件",
    "task": "タスク",
    "model": "モデル",
    "time": "所要時間",
    "forecast, 95 % interval": "予測（95 % 区間）",
    "overfitting begins": "過学習の始まり",
    "better": "改善",
    "worse": "悪化",
    "no difference": "差なし",
    "unknown": "不明",
    "unknown (one seed)": "不明（シードが 1 つ）",
    "auto": "自動",
    "light": "ライト",
    "dark": "ダーク",
    "Language": "言語",
    "Colours": "配色",
    "Copy": "コピー",
    "Play": "再生",
    "Stop": "停止",
    "seed": "シード",
    "training step": "学習ステップ",
    "example in the batch": "バッチ内の番号",
    "input": "入力",
    "influence": "影響",
    "influence {value}": "影響 {value}",
    "and {count} more sites": "ほか {count} サイト",
    "{rate}; the first {shown} of {all} units": "{rate}、全 {all} ユニット中、先頭の {shown} ユニット",
    "Each dot is a unit; pale ones are dropped in the training step shown. These are the masks that "
    "keyed(seed=seed, step=step) gives these sites, the same on every machine. Influence is how far the "
    "validation score moved while the rate of that site was searched.": (
        "点の 1 つ 1 つがユニットで、薄い点は表示中の学習ステップで落とされるユニットです。"
        "keyed(seed=seed, step=step) がこれらのサイトに与えるマスクで、どのマシンでも同じになります。"
        "影響は、そのサイトの率を探索したときに検証の値が動いた幅です。"
    ),
    "{title}: rates from {low} to {high} cannot be told apart on validation data.": (
        "{title}: 率 {low} ～ {high} は検証データでは区別できません。"
    ),
    "Show all": "全体を表示",
    "Copied": "コピーしました",
    # Numbers
    "{low} to {high}": "{low} ～ {high}",
    "{seconds} s": "{seconds} 秒",
    "{minutes} min {seconds} s": "{minutes} 分 {seconds} 秒",
    "{hours} h {minutes} min": "{hours} 時間 {minutes} 分",
    "{trials} runs, {epochs} epochs": "学習 {trials} 回、計 {epochs} エポック",
    "{count} runs": "{count} 件の学習",
    # Headings
    "Tuning report": "チューニングレポート",
    "Comparison report": "比較レポート",
    "Diagnosis": "診断",
    "Verdict": "結論",
    "The baseline": "ベースライン",
    "Comparison": "比較",
    "Loss curves": "損失曲線",
    "The search": "探索",
    "Where it acts": "どこに効くか",
    "The recipe": "レシピ",
    "How this was obtained": "この結果の求め方",
    "Run {number}": "学習 {number}",
    "Made by sukima {version}": "sukima {version} で作成",
    # Verdict
    "Does regularization help this model?": "このモデルに正則化は効くか",
    "Not known yet": "まだわかりません",
    "{mean} ({count} diverged)": "{mean}（{count} 回発散）",
    "Some runs diverged, so that no gain in {measure} on {data} can be given ({seeds} paired seeds). Look at "
    "the curves.": (
        "発散した学習があるため、{data}での{measure}の改善量は求められません（対応のあるシード {seeds} 個）。"
        "曲線を確認してください。"
    ),
    "Yes, it helps": "効果があります",
    "Yes: {arm}": "はい: {arm}",
    "{sentence} Of {count} recipes, {better} are better beyond doubt.": (
        "{sentence}{count} 個のレシピのうち、{better} 個が確実に良いと言えます。"
    ),
    "No, it does harm": "逆効果です",
    "No difference": "差はありません",
    "The search ended before the final comparison; what follows rests on validation data, by which the "
    "recipe was chosen, and promises nothing for new data.": (
        "最終比較の前に探索が中断されました。以下はレシピの選択に使った検証データに基づく値であり、"
        "未知のデータでの性能を保証しません。"
    ),
    "No recipe that was tried beat the model without regularization on validation data by more than noise; "
    "keep the model as it is.": (
        "試したどのレシピも、検証データで誤差を超えて正則化なしのモデルを上回りませんでした。"
        "モデルはそのままで構いません。"
    ),
    "None of the {count} recipes is better than {baseline} beyond doubt: every interval includes zero "
    "or lies below it.": (
        "{count} 個のレシピのうち、{baseline}より良いと言い切れるものはありません。"
        "どの区間も 0 を含むか、0 を下回っています。"
    ),
    "On {data} the {measure} goes from {before} to {after}, but {seeds} paired seeds give no interval: "
    "this may be chance.": (
        "{data}での{measure}は {before} から {after} になりましたが、対応のあるシード {seeds} 個では"
        "区間を求められません。偶然かもしれません。"
    ),
    "On {data} the {measure} goes from {before} to {after}; the gain of {gain} has a {level} % interval of "
    "{interval} ({seeds} paired seeds), which includes zero. These data do not show a difference.": (
        "{data}での{measure}は {before} から {after} になりました。改善量 {gain} の {level} % 区間は {interval}"
        "（対応のあるシード {seeds} 個）で 0 を含むため、差があるとは言えません。"
    ),
    "On {data} the {measure} goes from {before} to {after}: a gain of {gain}, {level} % interval {interval}, "
    "{seeds} paired seeds.": (
        "{data}での{measure}は {before} から {after} になりました。改善量は {gain}、{level} % 区間は {interval}"
        "（対応のあるシード {seeds} 個）です。"
    ),
    "Here {other} gains more ({gain}) than the recipe that the search chose on validation data. To choose by these "
    "figures would be to choose by test data; decide between the two with fresh data.": (
        "ここでは、検証データで選ばれたレシピより「{other}」のほうが改善量が大きくなりました（{gain}）。"
        "この値で選び直すとテストデータで選ぶことになるため、どちらにするかは別のデータで決めてください。"
    ),
    "without → with the recipe": "レシピなし → レシピあり",
    "without regularization": "正則化なし",
    "{measure} on {data}": "{data}での{measure}",
    "validation loss minus training loss": "検証損失 − 訓練損失",
    "Overfitting": "過学習",
    "Underfitting": "学習不足",
    "Healthy": "良好",
    "Not finished": "学習途中",
    "Diverged": "発散",
    "Mismatched data": "データの不一致",
    "Unclear": "判断できません",
    "{verdict} from epoch {epoch}": "エポック {epoch} から{verdict}",
    "confidence {percent} %": "確信度 {percent} %",
    "gap {gap}, {confidence}": "ギャップ {gap}、{confidence}",
    "Evidence": "根拠",
    "What to do": "次の一手",
    "Does the model overfit without it?": "正則化なしで過学習しているか",
    "What do the curves say?": "曲線から読み取れること",
    "Is any recipe better than {baseline}?": "{baseline}より良いレシピはあるか",
    "Is {arm} better than {baseline}?": "{arm}は{baseline}より良いか",
    # Curves
    "best checkpoint, seed {seed}": "最良チェックポイント（シード {seed}）",
    "Validation loss": "検証損失",
    "Loss": "損失",
    "chosen": "選択",
    "all candidates, mean": "全候補の平均",
    "All {count} candidates of the search, validation loss": "探索した全 {count} 候補の検証損失",
    "The gap: validation loss minus training loss": "ギャップ（検証損失 − 訓練損失）",
    "Training (dashed) and validation (solid) are both measured in inference mode, with dropout off. Faint lines "
    "are single seeds, strong lines their mean, dots the checkpoints that are judged; the shaded area is the gap.": (
        "訓練（破線）と検証（実線）は、どちらもドロップアウトを切った推論モードで測っています。"
        "淡い線は各シード、濃い線はその平均、丸は評価に使ったチェックポイント、塗られた部分がギャップです。"
    ),
    "The training curves may have been measured with dropout on (as Keras logs them), which makes training look "
    "worse than it is: compare them with validation only with care.": (
        "訓練曲線はドロップアウトが効いたまま測られた可能性があります（Keras のログがそうです）。"
        "その場合、訓練側は実際より悪く見えるため、検証との比較には注意が必要です。"
    ),
    "No run was finished.": "最後まで終わった学習がありません。",
    # Search
    "No rates were searched.": "率の探索は行われていません。",
    "The search starts low and raises the rate while the validation score improves by more than its noise: "
    "first one rate for all sites, then each site by itself. Dots are single seeds, bars one standard deviation.": (
        "低い率から始め、検証の値が誤差を超えて良くなる間だけ率を上げます。はじめに全サイト共通の率、"
        "次にサイトごとの率を決めます。小さな点は各シード、縦棒は標準偏差です。"
    ),
    "Of {all} sites, the {shown} that matter most are drawn.": (
        "全 {all} サイトのうち、影響の大きい {shown} サイトを図示しています。"
    ),
    "chosen: {rate}": "選択: {rate}",
    "All sites together": "全サイト共通",
    "Site {site}": "サイト {site}",
    "gain over the best before": "それまでの最良からの改善量",
    "Every step of the search, in its order": "探索の全段階（実行順）",
    # Comparison
    "The comparison was interrupted; it rests on the runs that were finished.": (
        "比較は途中で中断されました。終わった学習だけに基づく結果です。"
    ),
    "The task has no test data, so these figures come from the validation data by which recipes and "
    "checkpoints were chosen, and are a little better than new data would be.": (
        "タスクにテストデータがないため、これらはレシピとチェックポイントの選択に使った検証データでの値であり、"
        "未知のデータよりやや良く出ています。"
    ),
    "Each arm is judged at its own best validation checkpoint. Seeds are paired: the same initial weights and the "
    "same order of data in every arm. ± is the standard deviation over the seeds.": (
        "どの条件も、検証損失が最良のチェックポイントで評価しています。シードは対応がとれており、"
        "初期重みとデータの順序は全条件で同じです。± はシード間の標準偏差です。"
    ),
    "Gain over {baseline}, {level} % interval": "「{baseline}」からの改善量と {level} % 区間",
    "gain in {measure} on {data} (to the right is better)": "{data}での{measure}の改善量（右ほど良い）",
    "state": "状態",
    "The arms side by side, on {data}": "条件ごとの比較（{data}）",
    "{level} % interval": "{level} % 区間",
    # Sites
    "The model has no place where dropout acts or could act.": (
        "このモデルには、ドロップアウトが働いている場所も挿入できる場所もありません。"
    ),
    "These are the dropout layers that the model has already.": "モデルに元からあるドロップアウト層です。",
    "The model had no dropout. It was inserted behind the hidden activations, never after the output, and "
    "sukima.apply does the same to your model.": (
        "モデルにドロップアウトがなかったため、隠れ層の活性化の後に挿入しました（出力層の後には入れません）。"
        "お手元のモデルにも sukima.apply で同じように挿入できます。"
    ),
    "Dropout was inserted at {count} of {all} sites.": (
        "全 {all} サイトのうち {count} か所にドロップアウトを挿入しました。"
    ),
    "rate before": "元の率",
    "rate in the recipe": "レシピの率",
    "usual rates": "目安",
    "Sites of the model": "モデルのサイト",
    "in the model": "元からある",
    "inserted": "挿入",
    "after the input": "入力の直後",
    "hidden layer": "隠れ層",
    "after a convolution": "畳み込みの後",
    "recurrent layer": "再帰層",
    "attention": "注意機構",
    "output": "出力",
    "rate {rate}": "率 {rate}",
    "{rate}, inserted": "{rate}（挿入）",
    # Findings
    "Audit report": "監査レポート",
    "Source files": "ソースファイル",
    "Findings": "指摘",
    "Is dropout wired right?": "ドロップアウトは正しく組まれているか",
    "Nothing wrong found": "問題は見つかりませんでした",
    "Every rule was met.": "すべてのルールを満たしています。",
    "There is nothing to mend.": "直すところはありません。",
    "No": "いいえ",
    "Perhaps not": "疑わしいところがあります",
    "Yes, with advice": "はい（助言あり）",
    "Errors (always wrong): {errors}. Warnings (likely wrong): {warnings}. Advice: {advice}.": (
        "誤り（必ず誤り）: {errors} 件。警告（おそらく誤り）: {warnings} 件。助言: {advice} 件。"
    ),
    "error": "誤り",
    "warning": "警告",
    "advice": "助言",
    "severity": "重大度",
    "code": "コード",
    "where": "場所",
    "what": "内容",
    "remedy": "直し方",
    "site {site}": "サイト {site}",
    "{place}, site {site}": "{place}、サイト {site}",
    "{code}: {message}": "{code}: {message}",
    # Origin
    "training rows": "訓練データの件数",
    "validation rows": "検証データの件数",
    "test rows": "テストデータの件数",
    "optimizer": "オプティマイザー",
    "learning rate": "学習率",
    "The intervals cover {level} % each, so that all of them ({count}) hold at once with 95 %: the more arms, "
    "the more often one would seem better by chance.": (
        "区間は 1 つあたり {level} % です。これで {count} 個の区間が 95 % の確率で同時に成り立ちます。"
        "比べる条件が多いほど、偶然良く見えるものが出やすくなるためです。"
    ),
    "largest norm of the gradient": "勾配ノルムの上限",
    "batch size": "バッチサイズ",
    "epochs at most": "最大エポック数",
    "patience in epochs": "打ち切りまでのエポック数",
    "device": "デバイス",
    "searched by": "探索の基準",
    "compared by": "比較の基準",
    "seeds of the search": "探索のシード",
    "seeds of the comparison": "比較のシード",
    "training runs": "学習回数",
    "epochs in all": "総エポック数",
    "The run was interrupted; this is what was finished until then.": (
        "実行は途中で中断されました。そこまでに終わった分の結果です。"
    ),
    # Writing
    "Draw the report on an earlier result again.\n\n"
    "Reads the .json report that tune or compare wrote, prints it, and writes the page where one is wanted.\n\n"
    "Examples: sukima tune -o result.json; sukima report result.json -o page.html": (
        "以前の結果からレポートを作り直します。\n\n"
        "tune や compare が書き出した .json レポートを読み、表示します。指定があればページも書き出します。\n\n"
        "例: sukima tune -o result.json; sukima report result.json -o page.html"
    ),
    "A report of tune or compare.": "tune または compare のレポート。",
    "{path}: cannot be written ({why})": "{path}: 書き込めません（{why}）",
    "section must be one of {choices}, got {value}": (
        "section は {choices} のいずれかでなければなりません（指定値: {value}）"
    ),
    "result must be what tune, compare, diagnose or audit returned, got {value}": (
        "result は tune・compare・diagnose・audit の戻り値でなければなりません（指定値: {value}）"
    ),
    "{path}: a report is a .html or .json file, got {suffix}": (
        "{path}: レポートは .html か .json のファイルです（指定された拡張子: {suffix}）"
    ),
}
