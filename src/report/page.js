"use strict";

// Draws the page from the JSON in the element "data". Texts of tasks only ever become text nodes.
(() => {
  const run = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const kRowsOnPage = 100;
  const kStatuses = ["failed", "cancelled", "succeeded", "restored"]; // in order of interest
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  // Tasks: what the page adds to the data.
  const tasks = run.tasks.concat(
    run.restored.map((task) => Object.assign(task, { status: "restored" })));
  tasks.forEach((task, index) => {
    task.index = index;
    task.group = task.group ?? "";
    task.message = task.message ?? "";
    task.duration = task.start === undefined ? 0 : task.end - task.start;
  });
  const counts = { succeeded: 0, failed: 0, cancelled: 0, restored: 0 };
  let retried = 0;
  for (const task of tasks) {
    counts[task.status] += 1;
    if (task.attempts.length > 1) retried += 1;
  }

  // Small things

  function element(tag, properties = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name in made) made[name] = value;
      else made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  }

  const count = (number) => number.toLocaleString("en");
  const plural = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;

  function span(seconds) {
    if (seconds < 0.001) return `${(seconds * 1000).toFixed(seconds === 0 ? 0 : 2)} ms`;
    if (seconds < 1) return `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
    if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
    const whole = Math.round(seconds);
    const two = (number) => String(number).padStart(2, "0");
    if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
    return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
  }

  function bytes(number) {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let unit = 0;
    while (number >= 1024 && unit + 1 < units.length) {
      number /= 1024;
      unit += 1;
    }
    return `${number.toFixed(unit === 0 || number >= 100 ? 0 : 1)} ${units[unit]}`;
  }

  /** What a task printed, without colours; other control characters become visible. */
  function readable(text) {
    return text
      .replace(/\u001b\[[0-?]*[ -/]*[@-~]/g, "")
      .replace(/\r\n?/g, "\n")
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g,
        (control) => String.fromCharCode(0x2400 + control.charCodeAt(0)))
      .replace(/\u007f/g, "\u2421");
  }

  const badge = (status) => element("span", { className: `badge ${status}` }, status);

  /** How an attempt ended: [worker, start, end], and of one that did not succeed why not. */
  function attemptStatus(attempt) {
    if (attempt.length === 3) return "succeeded";
    return attempt[3] === null ? "cancelled" : "failed";
  }

  /** The same, but what failed and was then tried again is told apart from what failed in the end. */
  function barStatus(task, attempt) {
    const status = attemptStatus(attempt);
    const isLast = attempt === task.attempts[task.attempts.length - 1];
    return status === "failed" && !(isLast && task.status === "failed") ? "retried" : status;
  }

  function attemptResult(attempt) {
    if (attempt.length === 3) return "succeeded";
    const [, , , kind, code, message] = attempt;
    const status = typeof code === "number" ? `exit status ${code}` : code ? `killed by ${code}` : "";
    if (kind === null) return message || "cancelled";
    return status && message && message !== status ? `${message} (${status})` : message || status || kind;
  }

  // Summary

  function drawSummary() {
    const good = run.status === "PASSED" && !run.interrupted_by;
    byId("name").textContent = run.name || "run";
    byId("about").textContent =
      `${run.started_at.slice(0, 10)} ${run.started_at.slice(11, 19)} UTC, took ${span(run.duration)}`;
    byId("verdict").textContent =
      run.status + (run.interrupted_by ? `, interrupted by ${run.interrupted_by}` : "");
    byId("verdict").classList.add(good ? "good" : "bad");
    for (const status of ["succeeded", "failed", "cancelled"]) {
      if (counts[status] === 0) continue;
      const part = element("span");
      part.style.flexGrow = counts[status];
      part.style.background = `var(--${status})`;
      byId("share").append(part);
    }
    drawTiles();
  }

  function drawTiles() {
    const tile = (word, number, status) => {
      const button = element("button", { type: "button", className: status ?? "" },
        element("strong", {}, count(number)), element("span", {}, word));
      button.disabled = status === undefined;
      if (status !== undefined) {
        button.dataset.status = status;
        button.setAttribute("aria-pressed", "false");
        button.addEventListener("click", () => filterBy({ status }));
      }
      byId("tiles").append(element("li", {}, button));
    };
    tile("tasks", run.tasks.length, "");
    for (const status of ["succeeded", "failed", "cancelled"]) tile(status, counts[status], status);
    if (retried > 0) tile("retried", retried, "retried");
    if (counts.restored > 0) tile("restored", counts.restored, "restored");
    if (run.leaked > 0) tile("processes left behind", run.leaked);
    if (run.detached > 0) tile(`detached, ${count(run.detached_failed)} failed`, run.detached);
  }

  // Tables: `columns` are {title, key (a value to sort by), cell (a node), className}.

  /** The order of all rows by one column, kept once it is known. */
  function makeOrders(rows, columns) {
    const known = new Map();
    const compare = (a, b) =>
      typeof a === "string" ? collator.compare(a, b) : a - b;
    return (column) => {
      if (!known.has(column)) {
        const keys = rows.map(columns[column].key);
        const order = rows.map((_, index) => index);
        order.sort((a, b) => compare(keys[a], keys[b]) || a - b);
        const ranks = new Uint32Array(rows.length);
        let rank = 0;
        order.forEach((row, index) => {
          if (index > 0 && compare(keys[order[index - 1]], keys[row]) !== 0) rank += 1;
          ranks[row] = rank;
        });
        known.set(column, ranks);
      }
      return known.get(column);
    };
  }

  function drawHead(table, columns, sort, onSort) {
    const cells = columns.map((column, index) => {
      const button = element("button", { type: "button" }, column.title);
      button.addEventListener("click", () => onSort(index));
      const cell = element("th", { scope: "col", className: column.className ?? "" }, button);
      if (sort.column === index) {
        cell.setAttribute("aria-sort", sort.descending ? "descending" : "ascending");
      }
      return cell;
    });
    table.replaceChildren(element("thead", {}, element("tr", {}, ...cells)), element("tbody"));
    return table.tBodies[0];
  }

  const turned = (sort, column) =>
    ({ column, descending: sort.column === column ? !sort.descending : false });

  // Groups

  const groups = [];
  {
    const known = new Map();
    for (const task of run.tasks) {
      if (task.group === "") continue;
      if (!known.has(task.group)) {
        known.set(task.group, groups.length);
        groups.push({ name: task.group, total: 0, succeeded: 0, failed: 0, cancelled: 0, time: 0 });
      }
      const group = groups[known.get(task.group)];
      group.total += 1;
      group[task.status] += 1;
      for (const attempt of task.attempts) group.time += attempt[2] - attempt[1];
    }
  }

  const groupColumns = [
    { title: "Group", key: (group) => group.name, cell: (group) => groupLink(group.name), className: "text" },
    ...["total", "succeeded", "failed", "cancelled"].map((name) => ({
      title: name[0].toUpperCase() + name.slice(1),
      key: (group) => group[name],
      cell: (group) => count(group[name]),
      className: "number",
    })),
    { title: "Time of attempts", key: (group) => group.time, cell: (group) => span(group.time), className: "number" },
  ];

  function groupLink(name) {
    const link = element("a", { href: "#tasks-title" }, name);
    link.addEventListener("click", () => filterBy({ group: name }));
    return link;
  }

  function drawGroups(sort = { column: -1, descending: false }) {
    if (groups.length === 0) return;
    byId("groups-section").hidden = false;
    const body = drawHead(byId("groups"), groupColumns, sort, (column) => drawGroups(turned(sort, column)));
    const order = groups.map((_, index) => index);
    if (sort.column >= 0) {
      const ranks = makeOrders(groups, groupColumns)(sort.column);
      order.sort((a, b) => (sort.descending ? ranks[b] - ranks[a] : ranks[a] - ranks[b]) || a - b);
    }
    for (const index of order) {
      body.append(element("tr", {}, ...groupColumns.map(
        (column) => element("td", { className: column.className }, column.cell(groups[index])))));
    }
  }

  // Tasks

  const hasGroups = groups.length > 0;
  const columns = [
    { title: "Status", key: (task) => kStatuses.indexOf(task.status), cell: statusCell },
    { title: "Task", key: (task) => task.name, cell: nameCell, className: "name" },
    ...(hasGroups ? [{ title: "Group", key: (task) => task.group, cell: (task) => task.group, className: "text" }] : []),
    { title: "Start", key: (task) => task.start ?? Infinity, cell: (task) => task.start === undefined ? "" : span(task.start), className: "number" },
    { title: "Duration", key: (task) => task.duration, cell: (task) => task.start === undefined ? "" : span(task.duration), className: "number" },
    { title: "Attempts", key: (task) => task.attempts.length, cell: (task) => String(task.attempts.length), className: "number" },
    { title: "Message", key: (task) => task.message, cell: (task) => element("div", { className: "clamp text", title: task.message }, task.message), className: "message" },
  ];
  const orders = makeOrders(tasks, columns);
  const open = new Set(); // tasks whose details are shown
  const view = { search: "", status: "", group: "", sort: { column: -1, descending: false }, page: 0, rows: [] };
  if (counts.failed > 0) view.sort.column = 0;

  function statusCell(task) {
    const cell = badge(task.status);
    if (task.status === "succeeded" && task.attempts.length > 1) {
      cell.append(element("span", { className: "again" }, " after a retry"));
    }
    return cell;
  }

  function nameCell(task) {
    const button = element("button", { type: "button" }, task.name);
    button.setAttribute("aria-expanded", String(open.has(task)));
    return button;
  }

  function haystack(task) {
    task.haystack ??= [task.name, task.group, task.command ?? "", task.message].join("\n").toLowerCase();
    return task.haystack;
  }

  function matches(task, words) {
    if (view.status === "retried" ? task.attempts.length < 2 : view.status && task.status !== view.status) return false;
    if (view.group !== "" && task.group !== view.group) return false;
    return words.every((word) => haystack(task).includes(word));
  }

  /** Looks for the rows anew and shows the first page of them. */
  function findTasks() {
    const words = view.search.toLowerCase().split(/\s+/).filter((word) => word !== "");
    const { column, descending } = view.sort;
    view.rows = tasks.filter((task) => matches(task, words));
    if (column >= 0) {
      const ranks = orders(column);
      view.rows.sort((a, b) => (descending ? ranks[b.index] - ranks[a.index] : ranks[a.index] - ranks[b.index]) || a.index - b.index);
    }
    view.page = 0;
    drawTasks();
  }

  function drawTasks() {
    const first = view.page * kRowsOnPage;
    const shown = view.rows.slice(first, first + kRowsOnPage);
    const body = drawHead(byId("tasks"), columns, view.sort, (column) => {
      view.sort = turned(view.sort, column);
      findTasks();
      byId("tasks").tHead.rows[0].cells[column].firstChild.focus();
    });
    for (const task of shown) drawTask(body, task);
    if (shown.length === 0) {
      body.append(element("tr", {}, element("td", { colSpan: columns.length, className: "none" }, "No task is like that.")));
    }
    byId("found").textContent =
      view.rows.length === tasks.length ? plural(tasks.length, "task") : `${count(view.rows.length)} of ${plural(tasks.length, "task")}`;
    drawPager(first, shown.length);
  }

  function drawTask(body, task) {
    const row = element("tr", { className: "task", id: `task-${task.index}` }, ...columns.map(
      (column) => element("td", { className: column.className ?? "" }, column.cell(task))));
    row.addEventListener("click", () => {
      if (getSelection().isCollapsed) toggle(task, row);
    });
    body.append(row);
    if (open.has(task)) showDetails(task, row);
  }

  function toggle(task, row) {
    if (open.delete(task)) {
      row.classList.remove("open");
      row.nextSibling.remove();
    } else {
      open.add(task);
      showDetails(task, row);
    }
    row.querySelector(".name button").setAttribute("aria-expanded", String(open.has(task)));
    timeline.select(open.has(task) ? task : null);
  }

  function showDetails(task, row) {
    row.classList.add("open");
    row.after(element("tr", { className: "more" }, element("td", { colSpan: columns.length }, details(task))));
  }

  function details(task) {
    const list = element("dl");
    const add = (title, content) => list.append(element("dt", {}, title), element("dd", {}, content));
    if (task.command) add("Command", element("code", {}, task.command));
    if (task.message) add("Message", task.message);
    if (task.start !== undefined) add("Waited", `${span(Math.max(task.start - task.created, 0))} from its submission to its start`);
    if (task.priority !== undefined) add("Priority", String(task.priority));
    if (task.must_complete) add("Must complete", "yes");
    if (task.rss !== undefined) add("Used", `${span(task.cpu)} of processor time, ${bytes(task.rss)} of memory`);
    if (task.leaked !== undefined) add("Left behind", task.leaked.join("\n"));
    if (task.metadata !== undefined) add("Metadata", JSON.stringify(task.metadata));
    const made = element("div", { className: "details" }, list);
    if (task.attempts.length > 0) made.append(element("h3", {}, "Attempts"), attemptTable(task));
    for (const stream of ["stdout", "stderr"]) {
      if (task[stream] === undefined) continue;
      made.append(element("h3", {}, stream === "stdout" ? "Standard output" : "Standard error"),
        element("pre", { tabIndex: 0 }, readable(task[stream])));
    }
    if (task.output_left_out) made.append(element("p", { className: "muted" }, "What it printed is left out here, for the page would be too large; the JSON summary has it."));
    return made;
  }

  function attemptTable(task) {
    const head = ["Attempt", "Worker", "Start", "Duration", "Result"].map((title) => element("th", { scope: "col" }, title));
    const rows = task.attempts.map((attempt, index) => element("tr", {},
      element("td", {}, String(index + 1)), element("td", {}, String(attempt[0])),
      element("td", { className: "number" }, span(attempt[1])),
      element("td", { className: "number" }, span(attempt[2] - attempt[1])),
      element("td", { className: "text" }, attemptResult(attempt))));
    return element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows));
  }

  function drawPager(first, shown) {
    const pages = Math.ceil(view.rows.length / kRowsOnPage);
    byId("pager").hidden = pages < 2;
    byId("page").textContent = `${count(first + 1)} to ${count(first + shown)} of ${count(view.rows.length)}`;
    byId("first").disabled = byId("previous").disabled = view.page === 0;
    byId("last").disabled = byId("next").disabled = view.page >= pages - 1;
  }

  function turnTo(page) {
    view.page = Math.min(Math.max(page, 0), Math.ceil(view.rows.length / kRowsOnPage) - 1);
    drawTasks();
    byId("tasks-title").scrollIntoView();
  }

  function filterBy(wanted) {
    Object.assign(view, wanted);
    byId("status").value = view.status;
    byId("group").value = view.group;
    for (const button of byId("tiles").querySelectorAll("[data-status]")) {
      button.setAttribute("aria-pressed", String(button.dataset.status !== "" && button.dataset.status === view.status));
    }
    findTasks();
  }

  /** Shows a task in the table, whatever was looked for before. */
  function reveal(task) {
    if (!view.rows.includes(task)) {
      byId("search").value = "";
      filterBy({ search: "", status: "", group: "" });
    }
    view.page = Math.floor(view.rows.indexOf(task) / kRowsOnPage);
    open.add(task);
    drawTasks();
    byId(`task-${task.index}`).scrollIntoView({ block: "center" });
    timeline.select(task);
  }

  function setUpFilters() {
    const option = (select, value, text) => select.append(element("option", { value }, text));
    option(byId("status"), "", "every status");
    for (const status of [...kStatuses.filter((each) => counts[each] > 0), ...(retried > 0 ? ["retried"] : [])]) {
      option(byId("status"), status, status);
    }
    option(byId("group"), "", "every group");
    for (const group of groups) option(byId("group"), group.name, group.name);
    byId("group").hidden = !hasGroups;
    let timer = 0;
    byId("search").addEventListener("input", (event) => {
      clearTimeout(timer);
      timer = setTimeout(() => filterBy({ search: event.target.value }), 120);
    });
    byId("filters").addEventListener("submit", (event) => event.preventDefault());
    byId("status").addEventListener("change", (event) => filterBy({ status: event.target.value }));
    byId("group").addEventListener("change", (event) => filterBy({ group: event.target.value }));
    byId("first").addEventListener("click", () => turnTo(0));
    byId("previous").addEventListener("click", () => turnTo(view.page - 1));
    byId("next").addEventListener("click", () => turnTo(view.page + 1));
    byId("last").addEventListener("click", () => turnTo(Infinity));
  }

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

  drawSummary();
  drawGroups();
  setUpFilters();
  findTasks();
  timeline.start();
})();
