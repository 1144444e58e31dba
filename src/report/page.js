"use strict";

// Draws the page from the JSON in the element "data". Texts of tasks only ever become text nodes.
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
  const good = run.status === "PASSED";
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
