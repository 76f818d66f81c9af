// The mask law (Philox4x32-10, 16 or 32 bits an element), bit for bit as in Python, and the drawing of its masks.
{
  const high = (a, b) => {
    const al = a & 0xffff, ah = a >>> 16, bl = b & 0xffff, bh = b >>> 16;
    const middle = ah * bl + ((al * bl) >>> 16), other = al * bh + (middle & 0xffff);
    return (ah * bh + (middle >>> 16) + (other >>> 16)) >>> 0;
  };

  function philox([a, b, c, d], [k, m]) {
    for (let round = 0; round < 10; round++) {
      [a, b, c, d] = [(high(c, 0xcd9e8d57) ^ b ^ k) >>> 0, Math.imul(c, 0xcd9e8d57) >>> 0, (high(a, 0xd2511f53) ^ d ^ m) >>> 0, Math.imul(a, 0xd2511f53) >>> 0];
      k = (k + 0x9e3779b9) >>> 0;
      m = (m + 0xbb67ae85) >>> 0;
    }
    return [a, b, c, d];
  }

  // A 64-bit number as its low and high half; from a safe integer, or from hexadecimal digits.
  const halves = (value) => typeof value === "string"
    ? [parseInt(value.slice(8), 16), parseInt(value.slice(0, 8), 16)]
    : [value % 2 ** 32, Math.floor(value / 2 ** 32)];
  const domain = (text) => halves([...text].reverse().map((c) => c.charCodeAt(0).toString(16).padStart(2, "0")).join(""));
  const INT = domain("fold int"), STR = domain("fold str");

  const key = (seed) => ({ seed: halves(seed), stream: [0, 0] });

  // Strings are given as the hexadecimal number they stand for.
  function foldIn({ seed, stream }, value) {
    const [a, b, c, d] = philox(philox([...halves(value), ...stream], seed), typeof value === "string" ? STR : INT);
    return { seed: [a, b], stream: [c, d] };
  }

  // Which of the elements offset … offset + size − 1 are kept.
  function keep({ seed, stream }, threshold, bits, size, offset = 0) {
    const each = 128 / bits, kept = new Array(size);
    let block = -1, words = null;
    for (let k = 0; k < size; k++) {
      const element = offset + k, at = Math.floor(element / each), part = element % each;
      if (at !== block) {
        block = at;
        words = philox([...halves(at), ...stream], seed);
      }
      const value = bits === 32 ? words[part] : (words[part >> 1] >>> (part % 2 ? 16 : 0)) & 0xffff;
      kept[k] = value >= threshold;
    }
    return kept;
  }

  const { networks } = JSON.parse(document.getElementById("data").textContent);
  const COLUMNS = 64, PITCH = 10;
  const path = (kept, which) => kept.map((is, k) => is === which ? `M${k % COLUMNS * PITCH + PITCH / 2} ${Math.floor(k / COLUMNS) * PITCH + PITCH / 2}h0` : "").join("");

  function masksAt(site, seed, step, row) {
    // As keyed(seed=seed, step=step) does: replica, site, number of the call, repeat, step, microbatch, kind.
    const parts = [0, site.name, 0, 0, step, 0, ...(site.kind === null ? [] : [site.kind])];
    return keep(parts.reduce(foldIn, key(seed)), site.threshold, site.bits, site.drawn, row * site.units);
  }

  for (const figure of document.querySelectorAll("figure.network")) {
    const sites = networks[figure.dataset.network], form = figure.querySelector(".controls");
    const play = form.querySelector(".play");
    let timer = null;
    const whole = (input) => { const value = Math.floor(Number(input.value)); return Number.isSafeInteger(value) && value >= 0 ? value : 0; };
    const draw = () => {
      const step = whole(form.step);
      form.at.value = step;
      figure.querySelectorAll(".site").forEach((item, k) => {
        const kept = masksAt(sites[k], whole(form.seed), step, whole(form.row));
        item.querySelector(".on").setAttribute("d", path(kept, true));
        item.querySelector(".off").setAttribute("d", path(kept, false));
        item.querySelector(".share b").textContent = kept.filter(Boolean).length;
      });
    };
    const stop = () => { clearInterval(timer); timer = null; play.setAttribute("aria-pressed", "false"); };
    form.hidden = false;
    form.addEventListener("input", draw);
    form.addEventListener("submit", (event) => event.preventDefault());
    play.addEventListener("click", () => {
      if (timer) { stop(); return; }
      play.setAttribute("aria-pressed", "true");
      timer = setInterval(() => {
        form.step.value = (whole(form.step) + 1) % 200;
        draw();
      }, 350);
    });
  }

  // For tests and for the curious: sukimaMasks.keep(sukimaMasks.foldIn(sukimaMasks.key(0), 3), 32768, 16, 8)
  globalThis.sukimaMasks = { philox, key, foldIn, keep };
}
