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
