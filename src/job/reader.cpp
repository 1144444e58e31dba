// SPDX-License-Identifier: MIT
#include "job/reader.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <limits>

#include "base/format.hpp"
#include "job/key_hints.hpp"
#include "job/keys.hpp"
#include "job/lexical.hpp"
#include "job/scalars.hpp"
#include "job/yaml_parser.hpp"

namespace osiiso::job {
namespace {

using Kind = Event::Kind;

template <std::size_t N>
std::vector<std::string_view> with_option_names(const std::array<std::string_view, N>& own) {
  std::vector<std::string_view> names(own.begin(), own.end());
  names.insert(names.end(), option_names().begin(), option_names().end());
  return names;
}

const std::vector<std::string_view>& task_keys() {
  static const auto kKeys = with_option_names(kTaskKeys);
  return kKeys;
}

const std::vector<std::string_view>& group_keys() {
  static const auto kKeys = with_option_names(kGroupKeys);
  return kKeys;
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\n\v\f\r") == std::string_view::npos;
}

// Whether an unknown key of a task is the command itself or stands for its key.
bool is_meant_as_command(std::string_view key) {
  return is_text_as_key(key) || meant_key(key, task_keys()) == "command";
}

// Whether a list is one word that only a shell could execute. A path may look like that.
bool is_shell_text(const Value& list) {
  if (list.items.size() != 1 || !list.items.front().is_text()) return false;
  const std::string_view word = list.items.front().text;
  const std::size_t space = word.find_first_of(" \t\n");
  return space != std::string_view::npos &&
         word.substr(0, space).find('/') == std::string_view::npos &&
         word.find_first_of("&|;<>$`") != std::string_view::npos;
}

// Takes the events of a document and makes records of them, each as soon as it is complete.
class DocumentReader : public EventSink {
 public:
  DocumentReader(RawFile& file, Diagnostics& diagnostics)
      : file_(file), fields_(file.file, file.folder, diagnostics) {}

  void on(Event&& event) override;

 private:
  // What is open, outside of the values that a builder puts together.
  enum class Level { document, top, tasks, groups, group, inputs };

  void on_document(const Event& event);
  void on_top(Event&& event);
  void on_groups(Event&& event);
  void on_group(Event&& event);
  void open_tasks(const Event& event, std::vector<RawTask>& tasks);
  void build(Event&& event);
  void skip(const Event& event);
  void deliver(Value&& value);
  void refuse_shape(const Event& event, std::string_view what, std::string hint = {});

  void take_top(Value& value);
  void take_version(const Value& value);
  void take_queue(Value& value);
  void take_queue_key(Value& value);
  void take_group_key(Value& value);
  void take_group_workers(const Value& value);
  void take_inputs_from(const Value& value);
  void take_input(const Value& value);
  RawTask task(Value& value);
  RawTask task_of_mapping(Value& value);
  RawCommand command(const Value& value);
  RawCommand argv(const Value& value);
  void finish_group();

  RawFile& file_;
  FieldReader fields_;

  std::vector<Level> levels_ = {Level::document};
  std::string key_;  // of the value that follows
  std::uint32_t key_at_ = 0;
  std::vector<RawTask>* tasks_ = nullptr;  // where the tasks of the open list go
  RawGroup* group_ = nullptr;              // the open group
  bool group_has_tasks_ = false;
  bool group_has_inputs_ = false;

  enum class Taking { events, node, nothing } taking_ = Taking::events;
  ValueBuilder builder_;
  NodeDepth skipped_;
};

void DocumentReader::on(Event&& event) {
  if (taking_ == Taking::node) {
    if (!builder_.take(std::move(event))) return;
    taking_ = Taking::events;
    deliver(builder_.release());
    return;
  }
  if (taking_ == Taking::nothing) {
    if (skipped_.take(event.kind)) taking_ = Taking::events;
    return;
  }
  switch (levels_.back()) {
    case Level::document:
      on_document(event);
      break;
    case Level::top:
      on_top(std::move(event));
      break;
    case Level::groups:
      on_groups(std::move(event));
      break;
    case Level::group:
      on_group(std::move(event));
      break;
    case Level::tasks:
    case Level::inputs:
      if (event.kind == Kind::list_end) {
        levels_.pop_back();
      } else {
        build(std::move(event));
      }
      break;
  }
}

void DocumentReader::on_document(const Event& event) {
  if (event.kind == Kind::map_begin) {
    levels_.push_back(Level::top);
  } else if (event.kind != Kind::null) {
    refuse_shape(event, "a job file must be a mapping", "such as tasks: [echo hello]");
  }
}

void DocumentReader::on_top(Event&& event) {
  if (event.kind == Kind::map_end) {
    levels_.pop_back();
  } else if (event.kind == Kind::key) {
    key_ = std::move(event.text);
    key_at_ = event.at;
  } else if (key_ == "tasks") {
    open_tasks(event, file_.tasks);
  } else if (key_ == "finally") {
    open_tasks(event, file_.finally);
  } else if (key_ == "groups") {
    if (event.kind == Kind::map_begin) {
      levels_.push_back(Level::groups);
    } else {
      refuse_shape(event, "groups must be a mapping of names to groups");
    }
  } else if (key_.starts_with("x-")) {
    skip(event);
  } else {
    build(std::move(event));
  }
}

void DocumentReader::on_groups(Event&& event) {
  if (event.kind == Kind::map_end) {
    levels_.pop_back();
    return;
  }
  if (event.kind == Kind::key) {
    key_at_ = event.at;
    group_ = &file_.groups.emplace_back();
    group_->name = std::move(event.text);
    group_->at = event.at;
    group_has_tasks_ = false;
    group_has_inputs_ = false;
    Value name;
    name.kind = Value::Kind::scalar;
    name.key = "the name of a group";
    name.at = event.at;
    name.text = group_->name;
    if (name.text.empty()) fields_.refuse(event.at, "the name of a group must not be empty");
    fields_.name(name);
    key_ = base::format("group {}", shown(group_->name));
    return;
  }
  if (event.kind == Kind::map_begin) {
    levels_.push_back(Level::group);
  } else if (event.kind == Kind::list_begin) {
    open_tasks(event, group_->tasks);
  } else {
    refuse_shape(event, base::format("{} must be a list of tasks or a mapping", key_));
  }
}

void DocumentReader::on_group(Event&& event) {
  if (event.kind == Kind::map_end) {
    finish_group();
    levels_.pop_back();
  } else if (event.kind == Kind::key) {
    key_ = std::move(event.text);
    key_at_ = event.at;
  } else if (key_ == "tasks") {
    group_has_tasks_ = true;
    open_tasks(event, group_->tasks);
  } else if (key_ == "finally") {
    open_tasks(event, group_->finally);
  } else if (key_ == "inputs") {
    group_has_inputs_ = true;
    if (event.kind == Kind::list_begin) {
      levels_.push_back(Level::inputs);
    } else {
      refuse_shape(event, "inputs must be a list", "inputs_from takes a file or a command");
    }
  } else {
    build(std::move(event));
  }
}

void DocumentReader::open_tasks(const Event& event, std::vector<RawTask>& tasks) {
  if (event.kind == Kind::list_begin) {
    tasks_ = &tasks;
    levels_.push_back(Level::tasks);
  } else {
    refuse_shape(event, base::format("{} must be a list of tasks", key_));
  }
}

void DocumentReader::build(Event&& event) {
  taking_ = Taking::node;
  on(std::move(event));
}

void DocumentReader::skip(const Event& event) {
  taking_ = Taking::nothing;
  on(Event(event));
}

void DocumentReader::refuse_shape(const Event& event, std::string_view what, std::string hint) {
  const bool is_missing = event.kind == Kind::null && event.text.empty() && event.is_plain;
  const bool has_key = levels_.back() != Level::document;
  fields_.refuse(is_missing && has_key ? key_at_ : event.at, std::string(what), std::move(hint));
  skip(event);
}

void DocumentReader::deliver(Value&& value) {
  switch (levels_.back()) {
    case Level::tasks:
      tasks_->push_back(task(value));
      break;
    case Level::inputs:
      take_input(value);
      break;
    case Level::group:
      value.key = key_;
      value.key_at = key_at_;
      take_group_key(value);
      break;
    default:
      value.key = key_;
      value.key_at = key_at_;
      take_top(value);
      break;
  }
}

void DocumentReader::take_top(Value& value) {
  if (value.key == "version") {
    take_version(value);
  } else if (value.key == "name") {
    if (auto name = fields_.name(value)) file_.name = std::move(*name);
  } else if (value.key == "queue") {
    take_queue(value);
  } else if (value.key == "env") {
    if (auto env = fields_.environment(value)) file_.env = std::move(*env);
  } else if (value.key == "defaults") {
    if (value.kind != Value::Kind::mapping) {
      fields_.refuse_type(value, "a mapping of task options");
      return;
    }
    for (Value& item : value.items) {
      if (!fields_.read_option(item, file_.defaults)) {
        fields_.refuse_unknown(item, option_names(), "among the task options");
      }
    }
    fields_.check_together(file_.defaults, value.key_at);
  } else {
    fields_.refuse_unknown(value, kTopKeys, "at the top level");
  }
}

void DocumentReader::take_version(const Value& value) {
  const auto version = fields_.integer(value, std::numeric_limits<std::int64_t>::min(),
                                       std::numeric_limits<std::int64_t>::max());
  if (version && *version != 1) {
    fields_.refuse(value.at,
                   base::format("version {} is not known; this osiiso reads version 1", *version));
  }
}

void DocumentReader::take_queue(Value& value) {
  if (value.kind != Value::Kind::mapping) {
    fields_.refuse_type(value, "a mapping of queue options");
    return;
  }
  for (Value& item : value.items) take_queue_key(item);
}

void DocumentReader::take_queue_key(Value& value) {
  RawQueue& queue = file_.queue;
  constexpr int kIntMax = std::numeric_limits<int>::max();
  const auto set = [&value](auto& option, auto read) {
    if (read) option = {std::move(*read), value.at};
  };
  const auto set_word = [&](auto& option, std::span<const std::string_view> words,
                            std::string_view hint = {}) {
    using T = decltype(option->value);
    // The words stand in the order of the enumerators.
    if (const auto read = fields_.word(value, words, hint)) {
      option = {static_cast<T>(*read), value.at};
    }
  };
  const std::string& key = value.key;
  if (key == "kind") {
    const bool is_slurm = value.is_text() && value.text == "slurm";
    set_word(queue.kind, kKindNames, is_slurm ? "slurm is for a later version" : "");
  } else if (key == "workers") {
    if (value.is_text() && value.text == "auto") {
      queue.workers = {std::nullopt, value.at};
    } else if (value.is_text() && !(value.is_plain && parse_number(value.text))) {
      fields_.refuse_type(value, "a number or auto");
    } else if (const auto read = fields_.integer(value, 1, kIntMax)) {
      queue.workers = {static_cast<int>(*read), value.at};
    }
  } else if (key == "size") {
    set(queue.size, fields_.integer(value, 0, std::numeric_limits<std::int64_t>::max()));
  } else if (key == "timeout") {
    const auto read = fields_.duration(value);
    if (read && *read == Duration::zero()) {
      fields_.refuse(value.at, "timeout must be > 0");
    } else {
      set(queue.timeout, read);
    }
  } else if (key == "mode") {
    set_word(queue.mode, kModeNames);
  } else if (key == "fail_policy") {
    set_word(queue.fail_policy, kFailPolicyNames);
  } else if (key == "on_timeout") {
    set_word(queue.on_timeout, kOnTimeoutNames);
  } else if (key == "rate") {
    const auto read = fields_.number(value);
    if (read && *read <= 0) {
      fields_.refuse(value.at, "rate must be > 0");
    } else {
      set(queue.rate, read);
    }
  } else if (key == "burst") {
    if (const auto read = fields_.integer(value, 1, kIntMax)) {
      queue.burst = {static_cast<int>(*read), value.at};
    }
  } else if (key == "grace") {
    set(queue.grace, fields_.duration(value));
  } else {
    fields_.refuse_unknown(value, kQueueKeys, "in queue");
  }
}

void DocumentReader::take_group_key(Value& value) {
  if (value.key == "command") {
    group_->command = command(value);
  } else if (value.key == "inputs_from") {
    take_inputs_from(value);
  } else if (value.key == "workers") {
    take_group_workers(value);
  } else if (value.key == "name") {
    fields_.refuse(value.key_at, "a group has no name option: its key is its name");
  } else if (!fields_.read_option(value, group_->options)) {
    fields_.refuse_unknown(value, group_keys(), "in a group");
    const auto meant = meant_key(value.key, group_keys());
    if (meant == "command") group_->command.emplace();
    if (meant == "tasks") group_has_tasks_ = true;
  }
}

void DocumentReader::take_group_workers(const Value& value) {
  if (const auto read = fields_.integer(value, 1, std::numeric_limits<int>::max())) {
    group_->workers = static_cast<int>(*read);
  }
}

void DocumentReader::take_inputs_from(const Value& value) {
  RawInputsFrom& from = group_->inputs_from.emplace();
  from.at = value.at;
  if (value.kind != Value::Kind::mapping) {
    fields_.refuse_type(value, "a mapping",
                        "write {file: PATH} or {command: [PROGRAM, ARGUMENT, …]}");
    return;
  }
  bool has_file = false;
  bool has_command = false;
  for (const Value& item : value.items) {
    if (item.key == "file") {
      has_file = true;
      const auto path = fields_.text(item);
      if (path && path->find('\0') != std::string::npos) {
        fields_.argument(item, "file");
      } else if (path && path->empty()) {
        fields_.refuse(item.at, "file must not be empty");
      } else if (path) {
        from.file = fields_.in_folder(*path);
      }
    } else if (item.key == "command") {
      has_command = true;
      if (item.kind != Value::Kind::list) {
        fields_.refuse_type(item, "a list: a program and its arguments",
                            item.is_text() ? "for a shell command write [sh, -c, '…']" : "");
        continue;
      }
      const RawCommand words = argv(item);
      for (std::string_view rest = words.text; !rest.empty();) {
        from.command.emplace_back(rest.substr(0, rest.find('\0')));
        rest.remove_prefix(from.command.back().size() + 1);
      }
    } else if (item.key == "format") {
      if (const auto read = fields_.word(item, kInputFormatNames)) {
        from.format = static_cast<InputFormat>(*read);
      }
    } else {
      fields_.refuse_unknown(item, kInputsFromKeys, "in inputs_from");
    }
  }
  if (has_file == has_command) {
    fields_.refuse(value.key_at, has_file ? "inputs_from takes either file or command, not both"
                                          : "inputs_from needs a file or a command");
  }
}

void DocumentReader::take_input(const Value& value) {
  constexpr std::string_view kWhat = "an input";
  constexpr std::string_view kElement = "a value of an input";
  if (value.kind != Value::Kind::list && value.kind != Value::Kind::mapping) {
    if (auto text = fields_.argument(value, kWhat)) {
      group_->inputs.push_back({Input::scalar(std::move(*text)), value.at});
    }
    return;
  }
  std::vector<std::string_view> values;
  std::vector<Input::Entry> entries;
  for (const Value& item : value.items) {
    if (!fields_.argument(item, kElement)) return;
    values.push_back(item.text);
    if (item.key.find('\0') != std::string::npos) {
      fields_.refuse(item.key_at, "the key of an input cannot hold a NUL byte");
      return;
    }
    entries.emplace_back(item.key, item.text);
  }
  if (values.empty()) {
    fields_.refuse(value.at, "an input must not be empty");
  } else if (value.kind == Value::Kind::list) {
    group_->inputs.push_back({Input::list(values), value.at});
  } else {
    group_->inputs.push_back({Input::mapping(entries), value.at});
  }
}

RawTask DocumentReader::task(Value& value) {
  if (value.kind == Value::Kind::mapping) return task_of_mapping(value);
  RawTask made;
  made.command = command(value);
  return made;
}

RawTask DocumentReader::task_of_mapping(Value& value) {
  RawTask made;
  made.command.at = value.at;
  made.extras = std::make_unique<RawTask::Extras>();
  bool has_command = false;
  for (Value& item : value.items) {
    if (item.key == "command") {
      has_command = true;
      made.command = command(item);
    } else if (item.key == "name") {
      if (auto name = fields_.name(item)) made.extras->name = std::move(*name);
    } else if (item.key == "inputs" || item.key == "inputs_from") {
      fields_.refuse(item.key_at, base::format("a task has no {}", item.key),
                     "give the inputs to a group: groups: {NAME: {command: …, inputs: […]}}");
    } else if (!fields_.read_option(item, made.extras->options)) {
      fields_.refuse_unknown(item, task_keys(), "in a task");
      has_command |= is_meant_as_command(item.key);
    }
  }
  if (!has_command) fields_.refuse(value.at, "a task needs a command");
  fields_.check_together(made.extras->options, value.at);
  return made;
}

RawCommand DocumentReader::command(const Value& value) {
  if (value.kind == Value::Kind::list && !is_shell_text(value)) return argv(value);
  RawCommand made;
  made.at = value.at;
  if (value.kind == Value::Kind::list) {
    const Value& word = value.items.front();
    fields_.refuse(
        word.at, base::format("{} is not the name of a program", shown(word.text)),
        "a list is one program and its arguments; for the shell write a text, not a list");
  } else if (value.kind == Value::Kind::null && !value.is_missing()) {
    fields_.refuse(value.at, base::format("{} is not a command", value.text),
                   "in quotes it would be one");
  } else if (value.is_missing() || (value.is_text() && is_blank(value.text))) {
    fields_.refuse(value.at, "the command is empty");
  } else if (!value.is_text()) {
    fields_.refuse(value.at,
                   base::format("a command is a text or a list, not {}", describe(value)));
  } else if (value.text.find('\0') != std::string::npos) {
    fields_.refuse(value.at, "a command cannot hold a NUL byte");
  } else {
    // Exactly as long as it will be with the NUL that a command ends with.
    made.text.reserve(value.text.size() + 1);
    made.text = value.text;
  }
  return made;
}

RawCommand DocumentReader::argv(const Value& value) {
  RawCommand made;
  made.at = value.at;
  made.is_argv = true;
  if (value.items.empty() || (value.items.front().is_text() && value.items.front().text.empty())) {
    fields_.refuse(value.at, "the command is empty");
    return made;
  }
  bool is_good = true;
  for (const Value& item : value.items) {
    const auto word = fields_.argument(item, "a word of a command");
    is_good = is_good && word;
    if (word) made.text.append(*word) += '\0';
  }
  if (!is_good) made.text.clear();
  return made;
}

void DocumentReader::finish_group() {
  const bool has_inputs = group_has_inputs_ || group_->inputs_from;
  const auto refuse = [this](std::string_view what, std::string hint = {}) {
    fields_.refuse(group_->at, base::format("group {} {}", shown(group_->name), what),
                   std::move(hint));
  };
  if (group_->command && group_has_tasks_) {
    refuse("has both tasks and a command; it takes one of them");
  } else if (group_->command && !has_inputs) {
    refuse("has a command but no inputs", "a single command goes under tasks");
  } else if (!group_->command && has_inputs) {
    refuse("has inputs but no command for them");
  } else if (!group_->command && !group_has_tasks_) {
    refuse("has no tasks");
  }
  if (group_has_inputs_ && group_->inputs_from) refuse("has both inputs and inputs_from");
  fields_.check_together(group_->options, group_->at);
}

std::string default_name(const Source& source) {
  if (source.name == "<stdin>") return "stdin";
  return std::filesystem::path(source.name).stem().string();
}

}  // namespace

std::optional<RawFile> read_file(std::uint32_t file, Diagnostics& diagnostics) {
  const Source& source = diagnostics.sources()[file];
  if (!check_bytes(file, diagnostics)) return std::nullopt;
  RawFile read;
  read.file = file;
  std::error_code error;
  read.folder = std::filesystem::absolute(source.folder.empty() ? "." : source.folder, error)
                    .lexically_normal()
                    .string();
  if (error) read.folder = source.folder;
  DocumentReader reader(read, diagnostics);
  if (!parse_yaml(file, diagnostics, reader)) return std::nullopt;
  if (read.name.empty()) read.name = default_name(source);
  return read;
}

}  // namespace osiiso::job
