// Timeline: a row for each worker, drawn only where it is seen.

const timeline = (() => {
  const kAxis = 34; // with the marks of failures at its lower edge
  const kLabels = 84;
  const kRight = 12;
  const box = byId("timeline");
  const canvas = byId("canvas");
  const tip = byId("tip");
  const rows = makeRows();
  const rowHeight = Math.min(Math.max(Math.floor(420 / Math.max(rows.length, 1)), 6), 24);
  const end = Math.max(run.duration, ...lastOf(rows), 1e-6);
  let from = 0;
  let to = end;
  let selected = null;
  let colours = {};
  let waiting = false;

  /** The attempts of each worker by their start; in one row they never overlap. */
  function makeRows() {
    const byWorker = new Map();
    const row = (worker) => {
      if (!byWorker.has(worker)) byWorker.set(worker, { worker, bars: [], waits: [] });
      return byWorker.get(worker);
    };
    for (const task of run.tasks) {
      let before = null;
      for (const attempt of task.attempts) {
        const [worker, start, finish] = attempt;
        row(worker).bars.push({ task, start, end: finish, status: barStatus(task, attempt), attempt });
        if (before !== null) row(worker).waits.push([before, start]);
        before = finish;
      }
    }
    const made = [...byWorker.values()].sort((a, b) => a.worker - b.worker);
    for (const { bars } of made) bars.sort((a, b) => a.start - b.start || a.end - b.end);
    return made;
  }

  function lastOf(all) {
    let last = 0;
    for (const { bars } of all) last = Math.max(last, bars[bars.length - 1].end);
    return [last];
  }

  const width = () => Math.max(canvas.clientWidth - kLabels - kRight, 10);
  const height = () => Math.min(kAxis + rows.length * rowHeight + 4, 518);
  const toX = (time) => kLabels + ((time - from) / (to - from)) * width();
  const toTime = (x) => from + ((x - kLabels) / width()) * (to - from);

  function firstEndingAfter(bars, time) {
    let low = 0;
    let high = bars.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (bars[middle].end < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function readColours() {
    const style = getComputedStyle(document.documentElement);
    for (const name of ["ink", "muted", "line", "soft", "card", "accent", "succeeded", "failed", "retried", "cancelled", "wait"]) {
      colours[name] = style.getPropertyValue(`--${name}`).trim();
    }
  }

  function draw() {
    waiting = false;
    const scale = window.devicePixelRatio || 1;
    canvas.style.height = `${height()}px`;
    canvas.width = Math.round(canvas.clientWidth * scale);
    canvas.height = Math.round(height() * scale);
    const paint = canvas.getContext("2d");
    paint.scale(scale, scale);
    paint.font = "11px system-ui, sans-serif";
    paint.textBaseline = "middle";
    const first = Math.floor(box.scrollTop / rowHeight);
    const last = Math.min(rows.length, Math.ceil((box.scrollTop + height() - kAxis) / rowHeight));
    drawGrid(paint);
    paint.save();
    paint.beginPath();
    paint.rect(0, kAxis, canvas.clientWidth, height() - kAxis);
    paint.clip();
    for (let index = first; index < last; index += 1) drawRow(paint, index);
    paint.restore();
    drawFailures(paint);
  }

  function drawLater() {
    if (!waiting) requestAnimationFrame(draw);
    waiting = true;
  }

  /** A step between marks that is easy to read and leaves room for their texts. */
  function stepFor(room) {
    const least = ((to - from) / width()) * room;
    const whole = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400];
    if (least > 0.5 && least <= whole[whole.length - 1]) return whole.find((step) => step >= least);
    const power = 10 ** Math.floor(Math.log10(least));
    return [1, 2, 5, 10].map((digit) => digit * power).find((step) => step >= least);
  }

  function mark(time, step) {
    if (time === 0) return "0";
    if (step >= 1) return time < 60 ? `${Math.round(time)} s` : span(Math.round(time)).replace(" 00 s", "");
    if (step >= 0.001 && time < 1) return `${Math.round(time * 1000)} ms`;
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    return `${time.toFixed(digits)} s`;
  }

  function drawGrid(paint) {
    const step = stepFor(90);
    paint.textAlign = "center";
    for (let index = Math.ceil(from / step); index * step <= to; index += 1) {
      const x = Math.round(toX(index * step)) + 0.5;
      paint.fillStyle = colours.line;
      paint.fillRect(x, kAxis, 1, height() - kAxis);
      paint.fillStyle = colours.muted;
      paint.fillText(mark(index * step, step), Math.min(x, canvas.clientWidth - 24), 12);
    }
    paint.fillStyle = colours.line;
    paint.fillRect(0, kAxis - 1, canvas.clientWidth, 1);
  }

  function drawRow(paint, index) {
    const row = rows[index];
    const top = kAxis + index * rowHeight - box.scrollTop;
    const thick = rowHeight > 9 ? rowHeight - 4 : rowHeight - 1;
    const y = top + (rowHeight - thick) / 2;
    const each = Math.ceil(14 / rowHeight);
    if (index % each === 0) {
      paint.textAlign = "right";
      paint.fillStyle = colours.muted;
      const middle = top + rowHeight / 2;
      paint.fillText(`worker ${row.worker}`, kLabels - 10, top < kAxis ? middle : Math.max(middle, kAxis + 7));
    }
    paint.save();
    paint.beginPath();
    paint.rect(kLabels, kAxis, width() + kRight, height() - kAxis);
    paint.clip();
    drawWaits(paint, row, y + thick / 2);
    drawBars(paint, row, y, thick);
    paint.restore();
  }

  function drawWaits(paint, row, middle) {
    paint.fillStyle = colours.wait;
    for (const [start, finish] of row.waits) {
      if (finish < from || start > to) continue;
      paint.fillRect(toX(start), middle - 1, Math.max(toX(finish) - toX(start), 1), 2);
    }
  }

  function drawBars(paint, row, y, thick) {
    const late = []; // drawn over the others, however small they are
    let reached = -1;
    for (let index = firstEndingAfter(row.bars, from); index < row.bars.length; index += 1) {
      const bar = row.bars[index];
      if (bar.start > to) break;
      const x = toX(bar.start);
      const right = toX(bar.end);
      if (bar.status === "failed" || bar.status === "retried" || bar.task === selected) {
        late.push([bar, x, right]);
      } else if (right >= reached + 0.5) {
        // A hair's breadth between neighbours, where there is room for it.
        paint.fillStyle = colours[bar.status];
        paint.fillRect(x, y, Math.max(right - x - (right - x > 4 ? 1 : 0), 0.75), thick);
        reached = Math.max(right, x + 0.75);
      }
    }
    late.sort(([a], [b]) => (a.status === "failed") - (b.status === "failed"));
    for (const [bar, x, right] of late) {
      const wide = Math.max(right - x - (right - x > 4 ? 1 : 0), 2);
      paint.fillStyle = colours[bar.status];
      paint.fillRect(x, y, wide, thick);
      if (bar.task !== selected) continue;
      paint.strokeStyle = colours.ink;
      paint.lineWidth = 2;
      paint.strokeRect(x - 1, y - 1, wide + 2, thick + 2);
    }
  }

  /** A mark above all rows for each task that failed, so that none hides among thousands. */
  function drawFailures(paint) {
    paint.fillStyle = colours.failed;
    let reached = -1;
    for (const time of failures) {
      if (time < from || time > to) continue;
      const x = toX(time);
      if (x < reached + 1) continue;
      reached = x;
      paint.fillRect(x - 1, kAxis - 9, 2, 7);
    }
  }

  const failures = rows
    .flatMap(({ bars }) => bars.filter((bar) => bar.status === "failed").map((bar) => bar.end))
    .sort((a, b) => a - b);

  function show(start, finish) {
    const least = Math.min(1e-5, end);
    const length = Math.min(Math.max(finish - start, least), end);
    from = Math.min(Math.max(start, 0), end - length);
    to = from + length;
    drawLater();
  }

  function zoom(factor, at = (from + to) / 2) {
    show(at - (at - from) * factor, at + (to - at) * factor);
  }

  const move = (share) => show(from + (to - from) * share, to + (to - from) * share);

  function barAt(event) {
    const edges = canvas.getBoundingClientRect();
    const y = event.clientY - edges.top;
    const row = rows[Math.floor((y - kAxis + box.scrollTop) / rowHeight)];
    if (y < kAxis || row === undefined) return null;
    const near = ((to - from) / width()) * 3;
    const time = toTime(event.clientX - edges.left);
    let best = null;
    for (let index = firstEndingAfter(row.bars, time - near); index < row.bars.length; index += 1) {
      const bar = row.bars[index];
      if (bar.start > time + near) break;
      const away = Math.max(bar.start - time, time - bar.end, 0);
      if (best === null || away < best.away) best = { bar, away };
    }
    return best === null ? null : best.bar;
  }

  function showTip(event) {
    const bar = barAt(event);
    canvas.style.cursor = bar === null ? "default" : "pointer";
    tip.hidden = bar === null;
    if (bar === null) return;
    const number = bar.task.attempts.indexOf(bar.attempt) + 1;
    const which = bar.task.attempts.length > 1 ? `attempt ${number} of ${bar.task.attempts.length}, ` : "";
    tip.replaceChildren(
      element("strong", {}, bar.task.name),
      element("div", { className: "muted" }, `${which}from ${span(bar.start)}, took ${span(bar.end - bar.start)}`),
      element("div", {}, element("span", { className: `badge ${bar.status}` }, attemptResult(bar.attempt))));
    const left = Math.min(event.pageX + 14, document.documentElement.clientWidth - tip.offsetWidth - 8);
    tip.style.left = `${Math.max(left, 8)}px`;
    tip.style.top = `${event.pageY + 18}px`;
  }

  function listen() {
    let grabbed = null;
    canvas.addEventListener("pointerdown", (event) => {
      grabbed = { x: event.clientX, from, to, moved: false };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (grabbed === null) return showTip(event);
      if (Math.abs(event.clientX - grabbed.x) > 3) grabbed.moved = true;
      if (!grabbed.moved) return;
      const by = ((grabbed.x - event.clientX) / width()) * (grabbed.to - grabbed.from);
      show(grabbed.from + by, grabbed.to + by);
    });
    canvas.addEventListener("pointerup", (event) => {
      const bar = grabbed === null || grabbed.moved ? null : barAt(event);
      grabbed = null;
      if (bar !== null) reveal(bar.task);
    });
    canvas.addEventListener("pointercancel", () => (grabbed = null));
    canvas.addEventListener("pointerleave", () => (tip.hidden = true));
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoom(event.deltaY > 0 ? 1.25 : 0.8, toTime(event.clientX - canvas.getBoundingClientRect().left));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      const act = {
        "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: () => show(0, end),
        ArrowLeft: () => move(-0.2), ArrowRight: () => move(0.2),
        ArrowUp: () => (box.scrollTop -= 60), ArrowDown: () => (box.scrollTop += 60),
      }[event.key];
      if (act === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      act();
    });
    byId("zoom-in").addEventListener("click", () => zoom(0.5));
    byId("zoom-out").addEventListener("click", () => zoom(2));
    byId("zoom-all").addEventListener("click", () => show(0, end));
    box.addEventListener("scroll", drawLater);
    new ResizeObserver(drawLater).observe(box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      readColours();
      drawLater();
    });
  }

  function start() {
    if (rows.length === 0) {
      byId("timeline-section").hidden = true;
      return;
    }
    const bars = rows.reduce((sum, row) => sum + row.bars.length, 0);
    canvas.setAttribute("aria-label",
      `Timeline of ${plural(bars, "attempt")} by ${plural(rows.length, "worker")}, ${count(failures.length)} failed; the table of tasks tells the same`);
    // The canvas stays in sight while the rows below scroll by.
    byId("canvas-rest").style.height = `${Math.max(kAxis + rows.length * rowHeight + 4 - height(), 0)}px`;
    readColours();
    listen();
    draw();
  }

  return {
    start,
    select(task) {
      selected = task;
      drawLater();
    },
  };
})();

// The page

drawSummary();
drawGroups();
setUpFilters();
findTasks();
timeline.start();
