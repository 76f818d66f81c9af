// Curves: reading values, hiding series, zooming, fitting the width. Every element was drawn with its values in its
// data attributes; this file only moves elements, so that what a chart looks like is decided in one place.
{
  const SVG = "http://www.w3.org/2000/svg";
  const make = (name, attributes) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const shown = (value) => {
    if (value === null || value === undefined) return "–";
    const text = value !== 0 && Math.abs(value) < 1e-4 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
    return text.replace("-", "−");
  };
  const numbers = (text) => text.split(" ").map(Number);

  function ticks(low, high, most) {
    const rough = (high - low) / most, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough * 0.999999);
    const found = [];
    for (let k = Math.ceil(low / step - 1e-9); k <= Math.floor(high / step + 1e-9); k++) found.push(Number((k * step).toPrecision(10)));
    return found;
  }

  const tip = document.getElementById("tip");

  class Chart {
    constructor(figure, data) {
      this.figure = figure;
      this.data = data;
      this.svg = figure.querySelector("svg");
      this.plot = this.svg.querySelector(".plot");
      this.grid = this.svg.querySelector(".grid");
      this.cursor = this.svg.querySelector(".cursor");
      this.clip = this.svg.querySelector("clipPath rect");
      this.area = Object.fromEntries(["x", "y", "width", "height"].map((name) => [name, Number(this.clip.getAttribute(name))]));
      this.size = { width: this.svg.viewBox.baseVal.width, height: this.svg.viewBox.baseVal.height };
      this.right = this.size.width - this.area.x - this.area.width;
      this.off = new Set();
      this.whole = { x: data.x, y: data.y };
      this.range = this.whole;
      this.reset = figure.querySelector(".reset");
      this.listen();
      new ResizeObserver(() => this.fit()).observe(this.svg.parentElement);
    }

    // Where a value lies, and back.
    sx(value) { const [low, high] = this.range.x; return this.area.x + (value - low) / (high - low) * this.area.width; }
    sy(value) { const [low, high] = this.range.y; return this.area.y + this.area.height - (value - low) / (high - low) * this.area.height; }
    vx(place) { const [low, high] = this.range.x; return low + (place - this.area.x) / this.area.width * (high - low); }
    vy(place) { const [low, high] = this.range.y; return low + (this.area.y + this.area.height - place) / this.area.height * (high - low); }

    fit() {
      const width = this.svg.parentElement.clientWidth;
      if (!width || width === this.size.width) return;
      this.size.width = width;
      this.area.width = width - this.area.x - this.right;
      this.svg.setAttribute("viewBox", `0 0 ${width} ${this.size.height}`);
      this.clip.setAttribute("width", this.area.width);
      this.svg.querySelector(".label-x").setAttribute("x", this.area.x + this.area.width / 2);
      this.place();
    }

    line(x, values) {
      let path = "", down = false;
      values.forEach((value, k) => {
        if (value !== null) path += `${down ? "L" : "M"}${this.sx(x[k]).toFixed(1)} ${this.sy(value).toFixed(1)}`;
        down = value !== null;
      });
      return path;
    }

    place() {
      const set = (element, values) => { for (const [key, value] of Object.entries(values)) element.setAttribute(key, value.toFixed(2)); };
      for (const element of this.plot.querySelectorAll("[data-curve]")) {
        const [series, run] = element.dataset.curve.split(" ");
        const { x, mean, runs } = this.data.series[series];
        element.setAttribute("d", this.line(x, run === "mean" ? mean : runs[run]));
      }
      for (const element of this.plot.querySelectorAll("[data-fill]")) {
        const [lower, upper] = numbers(element.dataset.fill).map((k) => this.data.series[k]);
        const count = Math.min(lower.mean.length, upper.mean.length);
        const there = this.line(lower.x, lower.mean.slice(0, count));
        const back = this.line(upper.x.slice(0, count).reverse(), upper.mean.slice(0, count).reverse());
        element.setAttribute("d", there && back ? `${there}L${back.slice(1)}Z` : "");
      }
      for (const element of this.plot.querySelectorAll("[data-at]")) {
        const [x, y] = numbers(element.dataset.at);
        set(element, { cx: this.sx(x), cy: this.sy(y) });
      }
      for (const element of this.plot.querySelectorAll("[data-label]")) {
        const [x, y] = numbers(element.dataset.label);
        set(element, { x: this.sx(x) + 9, y: this.sy(y) - 9 });
      }
      for (const element of this.plot.querySelectorAll("[data-from]")) {
        const [x1, y1] = numbers(element.dataset.from), [x2, y2] = numbers(element.dataset.to);
        set(element, { x1: this.sx(x1), y1: this.sy(y1), x2: this.sx(x2), y2: this.sy(y2) });
      }
      for (const element of this.plot.querySelectorAll("[data-rule]")) {
        const x = this.sx(Number(element.dataset.rule));
        set(element, element.tagName === "text" ? { x: x + 5 } : { x1: x, x2: x });
      }
      for (const element of this.plot.querySelectorAll("[data-band]")) {
        const [low, high] = numbers(element.dataset.band).map((x) => this.sx(x));
        set(element, { x: low, width: high - low });
      }
      this.drawGrid();
      this.cursor.replaceChildren();
    }

    drawGrid() {
      const { x, y, width, height } = this.area, parts = [];
      const text = (place, value) => { const element = make("text", place); element.textContent = shown(value); parts.push(element); };
      for (const value of ticks(...this.range.y, 5)) {
        parts.push(make("line", { x1: x, x2: x + width, y1: this.sy(value), y2: this.sy(value) }));
        text({ x: x - 8, y: this.sy(value) + 4, class: "tick-y" }, value);
      }
      for (const value of ticks(...this.range.x, Math.max(3, Math.min(8, Math.floor(width / 60))))) {
        text({ x: this.sx(value), y: y + height + 18, class: "tick-x" }, value);
      }
      this.grid.replaceChildren(...parts);
    }

    zoom(x, y) {
      if (!(x[1] > x[0] && y[1] > y[0])) return;
      this.range = { x, y };
      this.reset.hidden = false;
      this.place();
    }

    showAll() {
      this.range = this.whole;
      this.reset.hidden = true;
      this.place();
    }

    // The recorded position nearest to a value.
    nearest(value) {
      let best = null;
      this.data.series.forEach(({ x }, k) => {
        if (this.off.has(k)) return;
        for (const place of x) if (best === null || Math.abs(place - value) < Math.abs(best - value)) best = place;
      });
      return best;
    }

    values(place) {
      return this.data.series.flatMap(({ x, mean, runs }, k) => {
        const at = x.indexOf(place);
        if (this.off.has(k) || at < 0) return [];
        const single = runs.map((run) => run[at]).filter((value) => value !== null && value !== undefined);
        return [{ k, mean: mean[at], low: Math.min(...single), high: Math.max(...single), count: single.length }];
      });
    }

    point(place) {
      this.at = place;
      this.cursor.replaceChildren();
      if (place === null || this.sx(place) < this.area.x - 1 || this.sx(place) > this.area.x + this.area.width + 1) return;
      const { y, height } = this.area, x = this.sx(place);
      this.cursor.append(make("line", { x1: x, x2: x, y1: y, y2: y + height, class: "guide" }));
      for (const { k, mean } of this.values(place)) {
        const top = mean === null || mean === undefined ? NaN : this.sy(mean);
        if (top >= y && top <= y + height) {
          const group = this.plot.querySelector(`g[data-series="${k}"]`);
          this.cursor.append(make("circle", { cx: x, cy: top, r: 3.5, class: `read ${group.getAttribute("class")}` }));
        }
      }
    }

    tell(place) {
      const head = document.createElement("div");
      head.append(...[...this.svg.querySelector(".label-x").childNodes].map((node) => spanOf(node)), ` ${shown(place)}`);
      head.className = "at";
      const rows = this.values(place).map(({ k, mean, low, high, count }) => {
        const row = document.createElement("div"), key = this.figure.querySelector(`.legend [data-series="${k}"]`);
        row.className = key.className;
        const value = document.createElement("b");
        value.textContent = shown(mean === undefined ? null : mean);
        row.append(...[...key.childNodes].map((node) => node.cloneNode(true)), " ", value);
        if (count > 1) row.append(` ${shown(low)} – ${shown(high)}`);
        return row;
      });
      tip.replaceChildren(head, ...rows);
      tip.hidden = false;
      const box = this.svg.getBoundingClientRect(), x = box.left + this.sx(place) / this.size.width * box.width;
      const left = x + 16 + tip.offsetWidth > innerWidth ? x - 16 - tip.offsetWidth : x + 16;
      tip.style.left = `${Math.max(4, left) + scrollX}px`;
      tip.style.top = `${box.top + this.area.y + 6 + scrollY}px`;
    }

    move(value, together = true) {
      const place = this.nearest(value);
      if (place === null) return;
      this.point(place);
      this.tell(place);
      if (together) for (const other of this.group) if (other !== this) other.point(other.nearest(place));
    }

    leave() {
      tip.hidden = true;
      for (const chart of this.group) chart.point(null);
    }

    // The other charts that stand beside this one over the same axis; they point at the same place.
    get group() {
      const beside = charts.filter((chart) => chart.figure.closest("section") === this.figure.closest("section"));
      return beside.filter((chart) => chart.svg.querySelector(".label-x").textContent === this.svg.querySelector(".label-x").textContent);
    }

    placeOf(event) {
      const box = this.svg.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width * this.size.width, (event.clientY - box.top) / box.height * this.size.height];
    }

    listen() {
      let from = null, frame = null;
      this.svg.addEventListener("pointermove", (event) => {
        const [x, y] = this.placeOf(event);
        if (from) {
          const at = { x: Math.min(x, from[0]), y: Math.min(y, from[1]), width: Math.abs(x - from[0]), height: Math.abs(y - from[1]) };
          if (!frame) this.svg.append(frame = make("rect", { class: "frame" }));
          for (const [key, value] of Object.entries(at)) frame.setAttribute(key, value);
        }
        this.move(this.vx(x));
      });
      this.svg.addEventListener("pointerdown", (event) => { if (event.pointerType !== "touch" && event.button === 0) from = this.placeOf(event); });
      addEventListener("pointerup", (event) => {
        if (from && frame) {
          const to = this.placeOf(event), clamp = (v, low, high) => Math.min(Math.max(v, low), high), { x, y, width, height } = this.area;
          const xs = [from[0], to[0]].map((v) => this.vx(clamp(v, x, x + width))).sort((a, b) => a - b);
          const ys = [from[1], to[1]].map((v) => this.vy(clamp(v, y, y + height))).sort((a, b) => a - b);
          const wide = Math.abs(to[0] - from[0]) > 8, tall = Math.abs(to[1] - from[1]) > 8;
          if (wide || tall) this.zoom(wide ? xs : this.range.x, tall ? ys : this.range.y);
          frame.remove();
        }
        from = frame = null;
      });
      this.svg.addEventListener("pointerleave", () => this.leave());
      this.svg.addEventListener("blur", () => this.leave());
      this.svg.addEventListener("dblclick", () => this.showAll());
      this.svg.addEventListener("keydown", (event) => this.key(event));
      this.reset.addEventListener("click", () => this.showAll());
      for (const key of this.figure.querySelectorAll(".legend [data-series]")) {
        key.addEventListener("click", () => this.toggle(Number(key.dataset.series), key));
      }
    }

    key(event) {
      const places = [...new Set(this.data.series.flatMap(({ x }, k) => this.off.has(k) ? [] : x))].sort((a, b) => a - b);
      const now = places.indexOf(this.at);
      const next = { ArrowLeft: now < 0 ? places.length - 1 : now - 1, ArrowRight: now + 1, Home: 0, End: places.length - 1 }[event.key];
      if (next !== undefined && places[next] !== undefined) this.move(places[next]);
      else if (event.key === "+" || event.key === "-") this.scale(event.key === "+" ? 0.6 : 1 / 0.6);
      else if (event.key === "0" || event.key === "Escape") { this.leave(); this.showAll(); }
      else if (next === undefined) return;
      event.preventDefault();
    }

    scale(factor) {
      const about = ([low, high], middle) => [middle - (middle - low) * factor, middle + (high - middle) * factor];
      const { x, y } = this.range, middle = this.at ?? (x[0] + x[1]) / 2;
      const next = about(x, middle);
      if (next[1] - next[0] >= this.whole.x[1] - this.whole.x[0]) this.showAll();
      else this.zoom(next, about(y, y[0] === 0 ? 0 : (y[0] + y[1]) / 2));
    }

    toggle(k, key) {
      if (!this.off.delete(k)) this.off.add(k);
      key.setAttribute("aria-pressed", String(!this.off.has(k)));
      this.plot.querySelector(`g[data-series="${k}"]`).toggleAttribute("hidden", this.off.has(k));
      for (const fill of this.plot.querySelectorAll("[data-fill]")) {
        fill.toggleAttribute("hidden", numbers(fill.dataset.fill).some((part) => this.off.has(part)));
      }
    }
  }

  function spanOf(node) {
    const span = document.createElement("span");
    if (node.lang || node.getAttribute?.("lang")) span.lang = node.getAttribute("lang");
    span.textContent = node.textContent;
    return span;
  }

  const { charts: data } = JSON.parse(document.getElementById("data").textContent);
  const charts = [...document.querySelectorAll("figure.chart")].map((figure) => new Chart(figure, data[figure.dataset.chart]));
}
