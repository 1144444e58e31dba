// SPDX-License-Identifier: MIT
#include "osiiso/batch.hpp"

#include <algorithm>
#include <type_traits>

#include "osiiso/error.hpp"

#include "base/format.hpp"
#include "model/task_name.hpp"

namespace osiiso {
namespace {

static_assert(sizeof(Batch::TaskEntry) <= 32, "a million may wait");
static_assert(std::is_nothrow_move_constructible_v<Batch>);

using Node = std::uint32_t;

// Looks for a cycle in linear time: what a whole group needs, or a finally task waits for, goes
// through a node of the group's own, so that no edge is drawn from each of many to each of many.
//
// Nodes, where an edge means "waits for", in this order of numbers:
//   task   waits for its needs, and for its group's start (a finally task: for the others' end)
//   whole  a group as others need it: waits for its start and for all its tasks
//   start  of a group: waits for what the group needs
//   others of a group: waits for its tasks but the finally ones
//   others of the run: the same for all tasks but the run's finally ones
class CycleSearch {
 public:
  CycleSearch(const std::vector<Batch::TaskEntry>& tasks,
              const std::vector<Batch::GroupEntry>& groups);

  std::vector<std::string> run();

 private:
  enum class Kind { task, whole, start, others_of_group, others_of_run };
  enum class Mark : std::uint8_t { unseen, on_path, done };
  struct Step {
    Node node;
    std::size_t next_edge;
  };
  struct Members {
    std::vector<Node> ordinary;
    std::vector<Node> finally;
  };

  Kind kind(Node node) const;
  Node index(Node node) const;  // of the task or group
  Node node_of(const Batch::Need& need) const;
  std::optional<Node> edge(Node node, std::size_t number) const;
  std::optional<Node> edge_of_task(Node task, std::size_t number) const;
  std::optional<Node> edge_of_whole(Node group, std::size_t number) const;
  std::vector<std::string> search_from(Node root);
  std::vector<std::string> names_of_path(Node from) const;
  std::string name(Node node) const;

  const std::vector<Batch::TaskEntry>& tasks_;
  const std::vector<Batch::GroupEntry>& groups_;
  const Node whole_;
  const Node start_;
  const Node others_of_group_;
  const Node others_of_run_;
  std::vector<Members> members_;
  std::vector<Node> tasks_before_end_;  // all but the run's finally tasks
  std::vector<Mark> marks_;
  std::vector<Step> path_;  // the way from the root, instead of recursion: chains can be long
};

CycleSearch::CycleSearch(const std::vector<Batch::TaskEntry>& tasks,
                         const std::vector<Batch::GroupEntry>& groups)
    : tasks_(tasks),
      groups_(groups),
      whole_(static_cast<Node>(tasks.size())),
      start_(whole_ + static_cast<Node>(groups.size())),
      others_of_group_(start_ + static_cast<Node>(groups.size())),
      others_of_run_(others_of_group_ + static_cast<Node>(groups.size())),
      members_(groups.size()),
      marks_(others_of_run_ + std::size_t{1}, Mark::unseen) {
  for (Node task = 0; task < tasks.size(); ++task) {
    const Batch::TaskEntry& entry = tasks[task];
    if (entry.group()) {
      Members& members = members_[static_cast<std::size_t>(*entry.group())];
      (entry.finally() ? members.finally : members.ordinary).push_back(task);
    }
    if (entry.group() || !entry.finally()) tasks_before_end_.push_back(task);
  }
}

std::vector<std::string> CycleSearch::run() {
  for (Node root = 0; root < marks_.size(); ++root) {
    if (marks_[root] != Mark::unseen) continue;
    auto cycle = search_from(root);
    if (!cycle.empty()) return cycle;
  }
  return {};
}

std::vector<std::string> CycleSearch::search_from(Node root) {
  path_.assign(1, {root, 0});
  marks_[root] = Mark::on_path;
  while (!path_.empty()) {
    Step& step = path_.back();
    const std::optional<Node> next = edge(step.node, step.next_edge++);
    if (!next) {
      marks_[step.node] = Mark::done;
      path_.pop_back();
    } else if (marks_[*next] == Mark::on_path) {
      return names_of_path(*next);
    } else if (marks_[*next] == Mark::unseen) {
      marks_[*next] = Mark::on_path;
      path_.push_back({*next, 0});
    }
  }
  return {};
}

CycleSearch::Kind CycleSearch::kind(Node node) const {
  if (node < whole_) return Kind::task;
  if (node < start_) return Kind::whole;
  if (node < others_of_group_) return Kind::start;
  return node < others_of_run_ ? Kind::others_of_group : Kind::others_of_run;
}

Node CycleSearch::index(Node node) const {
  switch (kind(node)) {
    case Kind::task:
      return node;
    case Kind::whole:
      return node - whole_;
    case Kind::start:
      return node - start_;
    case Kind::others_of_group:
      return node - others_of_group_;
    case Kind::others_of_run:
      return 0;
  }
  return 0;
}

Node CycleSearch::node_of(const Batch::Need& need) const {
  return need.is_group ? whole_ + need.index : need.index;
}

std::optional<Node> CycleSearch::edge(Node node, std::size_t number) const {
  const auto at = [number](const std::vector<Node>& nodes) {
    return number < nodes.size() ? std::optional(nodes[number]) : std::nullopt;
  };
  const Node i = index(node);
  switch (kind(node)) {
    case Kind::task:
      return edge_of_task(i, number);
    case Kind::whole:
      return edge_of_whole(i, number);
    case Kind::start:
      if (number < groups_[i].needs.size()) return node_of(groups_[i].needs[number]);
      return std::nullopt;
    case Kind::others_of_group:
      return at(members_[i].ordinary);
    case Kind::others_of_run:
      return at(tasks_before_end_);
  }
  return std::nullopt;
}

std::optional<Node> CycleSearch::edge_of_task(Node task, std::size_t number) const {
  const Batch::TaskEntry& entry = tasks_[task];
  const std::vector<Batch::Need>& needs = entry.needs();
  if (number < needs.size()) return node_of(needs[number]);
  if (number > needs.size()) return std::nullopt;
  if (entry.group())
    return static_cast<Node>(*entry.group()) + (entry.finally() ? others_of_group_ : start_);
  return entry.finally() ? std::optional(others_of_run_) : std::nullopt;
}

std::optional<Node> CycleSearch::edge_of_whole(Node group, std::size_t number) const {
  // The start first: a cycle among groups is then told without the tasks in them.
  if (number == 0) return start_ + group;
  const Members& members = members_[group];
  if (--number < members.ordinary.size()) return members.ordinary[number];
  number -= members.ordinary.size();
  return number < members.finally.size() ? std::optional(members.finally[number]) : std::nullopt;
}

// The path from `from` to its end, which leads back to `from`. The two nodes of a group are one
// name; "the others" are left out, for nobody wrote them down.
std::vector<std::string> CycleSearch::names_of_path(Node from) const {
  const auto first = std::ranges::find(path_, from, &Step::node);
  std::vector<std::string> names;
  std::optional<std::pair<bool, Node>> first_shown;
  std::optional<std::pair<bool, Node>> last_shown;
  for (auto step = first; step != path_.end(); ++step) {
    const Kind k = kind(step->node);
    if (k == Kind::others_of_group || k == Kind::others_of_run) continue;
    const std::pair shown(k == Kind::task, index(step->node));
    if (!first_shown) first_shown = shown;
    if (last_shown != shown) names.push_back(name(step->node));
    last_shown = shown;
  }
  if (names.size() == 1 || last_shown != first_shown) names.push_back(names.front());
  return names;
}

std::string CycleSearch::name(Node node) const {
  if (kind(node) == Kind::task) return model::name_of(tasks_[node]);
  const std::string& group_id = groups_[index(node)].options.group_id;
  return group_id.empty() ? base::format("group {}", index(node) + 1) : group_id;
}

const Batch::SharedOptions& default_options() {
  static const auto kDefaults = std::make_shared<const TaskOptions>();
  return kDefaults;
}

template <typename Entry, typename Position>
Entry& entry_at(std::vector<Entry>& entries, Position position) {
  const auto index = static_cast<std::size_t>(position);
  if (index >= entries.size()) throw OptionError("the task or group is not of this batch");
  return entries[index];
}

}  // namespace

const std::vector<Batch::Need>& Batch::TaskEntry::needs() const {
  static const std::vector<Need> kNone;
  return details ? details->needs : kNone;
}

const std::string& Batch::TaskEntry::name() const {
  static const std::string kNone;
  return own_name ? *own_name : kNone;
}

Batch::TaskDetails& Batch::TaskEntry::make_details() {
  if (!details) details = std::make_unique<TaskDetails>();
  return *details;
}

Batch::Group Batch::add_group(GroupOptions options) {
  if (options.workers < 0) throw OptionError("workers must be >= 0");
  groups_.push_back({std::move(options), {}});
  return static_cast<Group>(groups_.size() - 1);
}

Batch::Task Batch::add(TaskOptions options, TaskBody body, std::optional<Group> group) {
  validate(options);
  return add({}, std::make_shared<const TaskOptions>(std::move(options)), std::move(body), group);
}

Batch::Task Batch::add(std::string name, SharedOptions options, TaskBody body,
                       std::optional<Group> group) {
  return add(std::move(name), {.options = std::move(options), .group = group}, std::move(body));
}

Batch::Task Batch::add_finally(std::string name, SharedOptions options, TaskBody body,
                               std::optional<Group> group) {
  return add(std::move(name), {.options = std::move(options), .group = group, .finally = true},
             std::move(body));
}

Batch::Task Batch::add(std::string name, TaskTraits traits, TaskBody body) {
  if (traits.group) entry_at(groups_, *traits.group);
  if (!traits.options) traits.options = default_options();
  if (name.empty()) name = traits.options->name;
  if (traits_.empty() || traits_.front() != traits) traits_.push_front(std::move(traits));
  auto own_name = name.empty() ? nullptr : std::make_unique<const std::string>(std::move(name));
  tasks_.push_back(
      {.traits = &traits_.front(), .body = std::move(body), .own_name = std::move(own_name)});
  return static_cast<Task>(tasks_.size() - 1);
}

void Batch::need(Task task, Task needed) {
  entry_at(tasks_, needed);
  entry_at(tasks_, task)
      .make_details()
      .needs.push_back({false, static_cast<std::uint32_t>(needed)});
}

void Batch::need(Task task, Group needed) {
  entry_at(groups_, needed);
  entry_at(tasks_, task).make_details().needs.push_back({true, static_cast<std::uint32_t>(needed)});
}

void Batch::need(Group group, Task needed) {
  entry_at(tasks_, needed);
  entry_at(groups_, group).needs.push_back({false, static_cast<std::uint32_t>(needed)});
}

void Batch::need(Group group, Group needed) {
  entry_at(groups_, needed);
  entry_at(groups_, group).needs.push_back({true, static_cast<std::uint32_t>(needed)});
}

void Batch::record(Task task, RecorderPtr recorder) {
  auto& entry = entry_at(tasks_, task);
  if (entry.finally()) throw OptionError("a finally task always runs, it cannot be restored");
  entry.make_details().recorder = std::move(recorder);
}

std::vector<std::string> Batch::find_cycle() const {
  const bool is_plain =
      std::ranges::all_of(tasks_, [](const TaskEntry& task) { return task.needs().empty(); }) &&
      std::ranges::all_of(groups_, [](const GroupEntry& group) { return group.needs.empty(); });
  if (is_plain) return {};  // as most batches are
  return CycleSearch(tasks_, groups_).run();
}

}  // namespace osiiso
