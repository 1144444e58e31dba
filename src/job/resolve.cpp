// SPDX-License-Identifier: MIT
#include "job/resolve.hpp"

#include <map>

#include "osiiso/error.hpp"

#include "base/format.hpp"
#include "job/needs.hpp"
#include "job/queue_merge.hpp"
#include "job/sharing.hpp"

namespace osiiso::job {
namespace {

std::vector<std::string> words_of(std::string_view joined) {
  std::vector<std::string> words;
  while (!joined.empty()) {
    words.emplace_back(joined.substr(0, joined.find('\0')));
    joined.remove_prefix(words.back().size() + 1);
  }
  return words;
}

// Stands in for a command whose mistake was told, so that needs of its task can be looked at.
const Command& no_command() {
  static const Command kNone = Command::argv({"false"});
  return kNone;
}

// Turns the records of all files into a batch, task by task.
class BatchMaker {
 public:
  BatchMaker(const Overrides& overrides, RunInputs run_inputs, Diagnostics& diagnostics)
      : overrides_(overrides), run_inputs_(run_inputs), diagnostics_(diagnostics) {}

  Batch make(std::vector<RawFile>& files);

 private:
  // What a task starts from: the options of its file or group.
  struct Scope {
    Effective effective;
    SharedEffective shared;
  };

  Scope scope_of_file(const RawFile& file);
  Scope scope_of_group(const Scope& of_file, const RawGroup& group);
  void add_group(const RawFile& file, const Scope& of_file, RawGroup& group);
  void add_task(const RawFile& file, const Scope& scope, RawTask& task,
                std::optional<Batch::Group> group, bool is_finally);
  Command command_of(RawCommand& raw, Command::Settings settings);

  void add_inputs(const RawFile& file, const Scope& scope, RawGroup& group, Batch::Group added);
  bool read_inputs(const RawFile& file, const Scope& scope, RawGroup& group);
  Template template_of(const RawGroup& group, const Scope& scope);
  bool check_template(const RawFile& file, const RawGroup& group, const Template& made,
                      bool inputs_are_known);
  bool check_inputs(const RawFile& file, const RawGroup& group, const Template& made);

  const Overrides& overrides_;
  RunInputs run_inputs_;
  Diagnostics& diagnostics_;
  PlacedBatch placed_;
  Sharing sharing_;
  std::vector<NamedNeeds> needs_;
  std::map<std::string, Place> group_names_;
};

Batch BatchMaker::make(std::vector<RawFile>& files) {
  std::vector<Scope> scopes;
  for (RawFile& file : files) {
    const Scope& scope = scopes.emplace_back(scope_of_file(file));
    for (RawTask& task : file.tasks) add_task(file, scope, task, {}, false);
    for (RawGroup& group : file.groups) add_group(file, scope, group);
    if (!file.defaults.needs.empty()) {
      needs_.push_back({NamedNeeds::Of::defaults, file.file, file.defaults.needs});
    }
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    for (RawTask& task : files[i].finally) add_task(files[i], scopes[i], task, {}, true);
  }
  resolve_needs(needs_, placed_, diagnostics_);
  return std::move(placed_.batch);
}

BatchMaker::Scope BatchMaker::scope_of_file(const RawFile& file) {
  Effective effective;
  effective.options = task_options(overrides_);
  try {
    validate(effective.options);
  } catch (const OptionError& error) {
    diagnostics_.add({}, error.what());  // the file's own values were checked where they stand
  }
  effective.settings.env = file.env;
  apply_fields(file.defaults.fields, effective);
  SharedEffective shared = sharing_.share(effective);
  return {std::move(effective), std::move(shared)};
}

BatchMaker::Scope BatchMaker::scope_of_group(const Scope& of_file, const RawGroup& group) {
  if (group.options.fields.empty()) return of_file;
  Effective effective = of_file.effective;
  apply_fields(group.options.fields, effective);
  SharedEffective shared = sharing_.share(effective);
  return {std::move(effective), std::move(shared)};
}

void BatchMaker::add_group(const RawFile& file, const Scope& of_file, RawGroup& group) {
  const Place place{file.file, group.at};
  const auto [known, is_new] = group_names_.emplace(group.name, place);
  if (!is_new) {
    diagnostics_.add(place, base::format("group {} is also in {}", shown(group.name),
                                         describe(diagnostics_.sources(), known->second, place)));
  }
  const Batch::Group added =
      placed_.batch.add_group({.group_id = group.name, .workers = group.workers});
  placed_.groups.push_back(place);
  if (!group.options.needs.empty()) {
    needs_.push_back(
        {NamedNeeds::Of::group, static_cast<std::uint32_t>(added), group.options.needs});
  }
  const Scope scope = scope_of_group(of_file, group);
  if (group.command) add_inputs(file, scope, group, added);
  for (RawTask& task : group.tasks) add_task(file, scope, task, added, false);
  for (RawTask& task : group.finally) add_task(file, scope, task, added, true);
}

void BatchMaker::add_task(const RawFile& file, const Scope& scope, RawTask& task,
                          std::optional<Batch::Group> group, bool is_finally) {
  std::string name;
  SharedEffective shared = scope.shared;
  if (task.extras) {
    name = std::move(task.extras->name);
    if (!task.extras->options.fields.empty()) {
      Effective effective = scope.effective;
      apply_fields(task.extras->options.fields, effective);
      shared = sharing_.share(std::move(effective));
    }
    if (!task.extras->options.needs.empty()) {
      needs_.push_back({NamedNeeds::Of::task, static_cast<std::uint32_t>(placed_.tasks.size()),
                        task.extras->options.needs});
    }
  }
  placed_.tasks.push_back({file.file, task.command.at});
  Command command = command_of(task.command, std::move(shared.settings));
  if (is_finally) {
    placed_.batch.add_finally(std::move(name), std::move(shared.options), std::move(command),
                              group);
  } else {
    placed_.batch.add(std::move(name), std::move(shared.options), std::move(command), group);
  }
}

Command BatchMaker::command_of(RawCommand& raw, Command::Settings settings) {
  if (raw.empty()) return no_command();
  if (!raw.is_argv) return Command::shell(std::move(raw.text), std::move(settings));
  return Command::argv(words_of(raw.text), std::move(settings));
}

void BatchMaker::add_inputs(const RawFile& file, const Scope& scope, RawGroup& group,
                            Batch::Group added) {
  if (group.command->empty()) return;
  const bool inputs_are_known = read_inputs(file, scope, group);
  Template made = template_of(group, scope);
  made.with_settings(scope.shared.settings);
  if (!check_template(file, group, made, inputs_are_known)) return;
  if (!check_inputs(file, group, made)) return;
  std::size_t number = 0;
  for (const RawInput& raw : group.inputs) {
    placed_.tasks.push_back({file.file, raw.at});
    placed_.batch.add({}, scope.shared.options, made.fill(raw.input, ++number), added);
  }
}

// False where the inputs are not known: not read, or not readable.
bool BatchMaker::read_inputs(const RawFile& file, const Scope& scope, RawGroup& group) {
  if (!group.inputs_from) return true;
  const RawInputsFrom& from = *group.inputs_from;
  std::vector<Input> inputs;
  try {
    if (!from.file.empty()) {
      inputs = inputs_of_file(from.file, from.format);
    } else if (!from.command.empty() && run_inputs_ == RunInputs::yes) {
      // Where the group's tasks run, so that the paths that it prints are right for them.
      inputs = inputs_of_command(from.command, scope.effective.settings.cwd, from.format);
    } else {
      return false;
    }
  } catch (const Error& error) {
    diagnostics_.add({file.file, from.at}, base::format("inputs_from: {}", error.what()));
    return false;
  }
  group.inputs.reserve(inputs.size());
  for (Input& input : inputs) group.inputs.push_back({std::move(input), from.at});
  return true;
}

Template BatchMaker::template_of(const RawGroup& group, const Scope& scope) {
  InputNames names;
  for (const RawInput& raw : group.inputs) names.add(raw.input);
  const RawCommand& command = *group.command;
  if (command.is_argv) return Template::argv(words_of(command.text), names);
  return Template::shell(command.text, scope.effective.settings.shell, names);
}

bool BatchMaker::check_template(const RawFile& file, const RawGroup& group, const Template& made,
                                bool inputs_are_known) {
  const Place place{file.file, group.command->at};
  for (const Template::Mistake& mistake : made.mistakes()) {
    diagnostics_.add(place, mistake.text, mistake.hint);
  }
  if (!made.mistakes().empty()) return false;
  // Without any input nobody knows what names there would have been.
  if (made.uses_input() || !inputs_are_known || group.inputs.empty()) return true;
  diagnostics_.add(place, "the command does not use its inputs", "write {} where an input belongs");
  return false;
}

bool BatchMaker::check_inputs(const RawFile& file, const RawGroup& group, const Template& made) {
  for (std::size_t i = 0; i < group.inputs.size(); ++i) {
    const auto mistake = made.check(group.inputs[i].input);
    if (!mistake) continue;
    if (i == 0) {  // then it is rather the command that is wrong
      diagnostics_.add({file.file, group.command->at}, mistake->text, mistake->hint);
    } else {
      diagnostics_.add({file.file, group.inputs[i].at},
                       base::format("input {}: {}", i + 1, mistake->text), mistake->hint);
    }
    return false;
  }
  return true;
}

std::string joined_names(const std::vector<RawFile>& files) {
  std::string name;
  for (const RawFile& file : files) name += (name.empty() ? "" : "+") + file.name;
  return name;
}

}  // namespace

Plan resolve(std::vector<RawFile>& files, const Overrides& overrides, RunInputs run_inputs,
             Diagnostics& diagnostics) {
  Plan plan;
  plan.name = joined_names(files);
  for (const RawFile& file : files) plan.folders.push_back(file.folder);
  merge_queues(files, overrides, plan, diagnostics);
  plan.batch = BatchMaker(overrides, run_inputs, diagnostics).make(files);
  return plan;
}

}  // namespace osiiso::job
