// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/format.hpp"
#include "base/text.hpp"
#include "cli/checkpointing.hpp"
#include "cli/commands.hpp"
#include "cli/jobs.hpp"
#include "cli/result_stream.hpp"
#include "job/start_order.hpp"
#include "model/task_name.hpp"
#include "report/json_text.hpp"

namespace osiiso::cli {
namespace {

std::vector<std::string> need_names(const Batch& batch, const Batch::TaskEntry& task) {
  std::vector<std::string> names;
  const auto add = [&](const std::vector<Batch::Need>& needs) {
    for (const auto& need : needs) {
      names.push_back(need.is_group ? batch.groups()[need.index].options.group_id
                                    : model::name_of(batch.tasks()[need.index]));
    }
  };
  add(task.needs());
  if (task.group() && !task.finally())
    add(batch.groups()[static_cast<std::size_t>(*task.group())].needs);
  return names;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string shown_group(const Batch& batch, const Batch::TaskEntry& task) {
  const auto name = base::escape_controls(model::group_of(batch, task));
  return name.empty() ? "-" : name;
}

std::string command_text(const Batch::TaskEntry& task) {
  const auto* command = task.body.command();
  return command == nullptr ? std::string() : command->text();
}

using Standings = std::vector<std::optional<Checkpoint::Standing>>;

/// Why a task runs or does not, by a checkpoint.
const char* why(const std::optional<Checkpoint::Standing>& standing) {
  return standing ? to_string(*standing) : "finally";
}

/// One line a task: its place in the order, what decides it, and what would be executed.
/// `standings`: none without a checkpoint.
void write_text(std::ostream& out, const Batch& batch, const std::vector<std::uint32_t>& order,
                const Standings& standings) {
  std::size_t group_width = 5;
  for (const auto& task : batch.tasks()) {
    group_width = std::max(group_width, base::display_width(shown_group(batch, task)));
  }
  const auto padded = [&](const std::string& group) {
    return group + std::string(group_width - base::display_width(group), ' ');
  };
  const auto reason = [&](const char* text) {
    return standings.empty() ? std::string() : base::format("{:<16}  ", text);
  };
  out << base::format("{:>6}  {:>8}  {}  {}task\n", "order", "priority", padded("group"),
                      reason("checkpoint"));
  std::size_t position = 0;
  for (const auto index : order) {
    const auto& task = batch.tasks()[index];
    const std::string command = command_text(task);
    std::string line = base::format("{:>6}  {:>8}  {}  ", ++position, task.options()->priority,
                                    padded(shown_group(batch, task)));
    if (!standings.empty()) line += reason(why(standings[index]));
    const std::string name = model::name_of(task);
    if (name != model::name_of_command(command)) line += base::escape_controls(name) + ": ";
    line += base::escape_controls(command);
    if (task.finally()) line += "  (finally)";
    if (const auto needs = need_names(batch, task); !needs.empty()) {
      line += "  (needs " + base::escape_controls(joined(needs)) + ")";
    }
    out << line << '\n';
  }
}

void write_json(std::ostream& out, const job::Plan& plan, const std::vector<std::uint32_t>& order,
                const Standings& standings) {
  report::JsonText json;
  json.open('{');
  json.key("schema").number(1);
  json.key("name").text(plan.name);
  json.key("tasks").open('[');
  std::size_t position = 0;
  for (const auto index : order) {
    const auto& task = plan.batch.tasks()[index];
    json.new_line();
    json.open('{');
    json.key("order").number(++position);
    json.key("name").text(model::name_of(task));
    json.key("group_id").text_or_null(model::group_of(plan.batch, task));
    json.key("priority").number(task.options()->priority);
    json.key("must_complete").boolean(task.options()->must_complete || task.finally());
    json.key("finally").boolean(task.finally());
    json.key("needs").open('[');
    for (const auto& need : need_names(plan.batch, task)) json.text(need);
    json.close(']');
    json.key("command").text(command_text(task));
    if (!standings.empty()) {
      json.key("would_run").boolean(standings[index] != Checkpoint::Standing::done);
      json.key("why").text(why(standings[index]));
    }
    json.close('}');
    out << json.written();
    json.clear();
  }
  json.close(']');
  json.close('}');
  out << json.written() << '\n';
}

}  // namespace

ExitCode plan(const PlanCommand& command) {
  const auto read =
      read_jobs(command.jobs, command.overrides, command.selection, job::RunInputs::yes);
  if (const auto* failed = std::get_if<ExitCode>(&read)) return *failed;
  return show_plan(std::get<job::Plan>(read), command.checkpoint, command.json);
}

ExitCode show_plan(const job::Plan& plan, const std::string& checkpoint, bool json) {
  Standings by_task;
  try {
    if (!checkpoint.empty()) by_task = standings(checkpoint, plan);
  } catch (const CheckpointError& error) {
    say(error.what());
    return ExitCode::usage;
  }
  const auto order = job::start_order(plan.batch);
  ResultStream out;
  if (json) {
    write_json(out, plan, order, by_task);
  } else {
    write_text(out, plan.batch, order, by_task);
  }
  return finish_result(out);
}

}  // namespace osiiso::cli
