// SPDX-License-Identifier: MIT
#include "report/saved_run.hpp"

#include <charconv>
#include <cmath>
#include <csignal>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include <nlohmann/json.hpp>

#include "osiiso/error.hpp"

#include "base/format.hpp"
#include "base/text.hpp"
#include "report/wall_time.hpp"

namespace osiiso::report {
namespace {

using nlohmann::json;

// Metadata may be nested, but what is deeper was not written by us, and recursion has an end.
constexpr int kMostDepth = 500;

constexpr int kSchema = 1;

/// A member of an object, which knows where it stands.
class Field {
 public:
  Field(json& object, const char* name) : name_(name) {
    if (!object.is_object()) throw Error(base::format("there is no object with '{}'", name));
    const auto found = object.find(name);
    if (found == object.end()) throw Error(base::format("'{}' is missing", name));
    value_ = &*found;
  }

  bool is_null() const { return value_->is_null(); }

  std::string text() const {
    if (!value_->is_string()) refuse("a text");
    return std::move(value_->get_ref<std::string&>());
  }
  /// Empty for null.
  std::string text_or_null() const { return is_null() ? std::string() : text(); }

  bool boolean() const {
    if (!value_->is_boolean()) refuse("true or false");
    return value_->get<bool>();
  }

  template <typename Integer>
  Integer integer() const {
    if (value_->is_number_unsigned()) {
      const auto number = value_->get<std::uint64_t>();
      if (std::in_range<Integer>(number)) return static_cast<Integer>(number);
    } else if (value_->is_number_integer()) {
      const auto number = value_->get<std::int64_t>();
      if (std::in_range<Integer>(number)) return static_cast<Integer>(number);
    }
    refuse("a whole number that fits here");
  }
  template <typename Integer>
  std::optional<Integer> integer_or_null() const {
    return is_null() ? std::nullopt : std::optional(integer<Integer>());
  }

  Duration time() const {
    constexpr double kNanoseconds = 1e9;
    constexpr double kMost = 9e9;  // seconds, which a Duration holds
    const double seconds = value_->is_number() ? value_->get<double>() : kMost + 1;
    if (!(std::abs(seconds) <= kMost)) refuse("a time in seconds");
    return Duration(std::llround(seconds * kNanoseconds));
  }
  std::optional<Duration> time_or_null() const {
    return is_null() ? std::nullopt : std::optional(time());
  }

  /// One of `words`.
  template <typename Value>
  Value word(const std::map<std::string, Value>& words, const char* what) const {
    const auto found = words.find(value_->is_string() ? value_->get_ref<std::string&>() : "");
    if (found == words.end()) refuse(what);
    return found->second;
  }
  template <typename Value>
  std::optional<Value> word_or_null(const std::map<std::string, Value>& words,
                                    const char* what) const {
    return is_null() ? std::nullopt : std::optional(word(words, what));
  }

  json& object() const {
    if (!value_->is_object()) refuse("an object");
    return *value_;
  }
  json& array() const {
    if (!value_->is_array()) refuse("an array");
    return *value_;
  }
  json& any() const { return *value_; }

  [[noreturn]] void refuse(const char* what) const {
    throw Error(base::format("'{}' is not {}", name_, what));
  }

 private:
  const char* name_;
  json* value_ = nullptr;
};

const std::map<std::string, int>& signals() {
  static const auto kSignals = [] {
    std::map<std::string, int> numbers;
    for (int signal = 1; signal <= SIGRTMAX; ++signal) numbers[base::signal_name(signal)] = signal;
    return numbers;
  }();
  return kSignals;
}

template <typename Value>
std::map<std::string, Value> words_for(std::initializer_list<Value> values) {
  std::map<std::string, Value> words;
  for (const Value value : values) words.emplace(to_string(value), value);
  return words;
}

const std::map<std::string, Status>& statuses() {
  static const auto kStatuses = words_for({Status::succeeded, Status::failed, Status::cancelled});
  return kStatuses;
}

const std::map<std::string, Cause>& causes() {
  static const auto kCauses = words_for({Cause::exit, Cause::signal, Cause::timeout, Cause::spawn,
                                         Cause::worker, Cause::leak, Cause::error});
  return kCauses;
}

std::optional<int> read_signal(const Field& field) {
  return field.word_or_null(signals(), "the name of a signal");
}

TaskId read_task_id(const Field& field) {
  const std::string digits = field.text();
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  const char* middle = digits.data() + digits.size() / 2;
  const char* end = digits.data() + digits.size();
  constexpr int kHex = 16;
  constexpr std::size_t kDigits = 32;
  if (digits.size() != kDigits ||
      std::from_chars(digits.data(), middle, high, kHex).ptr != middle ||
      std::from_chars(middle, end, low, kHex).ptr != end) {
    field.refuse("a task id");
  }
  return TaskId(high, low);
}

AttemptResult read_attempt(json& object) {
  AttemptResult attempt;
  attempt.attempt = Field(object, "attempt").integer<int>();
  attempt.worker = Field(object, "worker").integer<int>();
  attempt.started_at = Field(object, "started_at").time();
  attempt.finished_at = Field(object, "finished_at").time();
  attempt.cause =
      Field(object, "kind").word_or_null(causes(), "a kind of failure").value_or(Cause::none);
  attempt.exit_code = Field(object, "exit_code").integer_or_null<int>();
  attempt.signal = read_signal(Field(object, "signal"));
  attempt.message = Field(object, "message").text();
  return attempt;
}

CommandOutput read_output(json& object) {
  CommandOutput output;
  output.stdout_text = Field(object, "stdout").text();
  output.stderr_text = Field(object, "stderr").text();
  output.truncated = Field(object, "truncated").boolean();
  output.cpu_user = Field(object, "cpu_user").time();
  output.cpu_system = Field(object, "cpu_system").time();
  output.max_rss = Field(object, "max_rss").integer<std::int64_t>();
  for (json& process : Field(object, "leaked").array()) {
    output.leaked.push_back({.pid = Field(process, "pid").integer<std::int64_t>(),
                             .command = Field(process, "command").text(),
                             .age = Field(process, "age").time()});
  }
  return output;
}

/// The attempt that succeeded is no attempt of its own in a result, but part of it.
void read_attempts(TaskResult& result, CommandOutput& output, const Field& field) {
  for (json& object : field.array()) result.unsuccessful_attempts.push_back(read_attempt(object));
  auto& attempts = result.unsuccessful_attempts;
  if (result.status != Status::succeeded || attempts.empty()) return;
  const AttemptResult& last = attempts.back();
  result.worker = last.worker;
  result.last_started_at = last.started_at;
  output.exit_code = last.exit_code;
  output.signal = last.signal;
  attempts.pop_back();
}

class Reader {
 public:
  SavedRun read(std::string_view text) {
    json rest;
    try {
      rest = json::parse(text, [this](int depth, json::parse_event_t event, json& parsed) {
        return look_at(depth, event, parsed);
      });
    } catch (const json::parse_error& error) {
      throw Error(base::format("byte {} is no JSON", error.byte));
    } catch (const json::out_of_range&) {
      throw Error("it has a number that is too large");
    }
    read_run(rest);
    return std::move(run_);
  }

  std::shared_ptr<TaskResult> read_result(json& object) {
    auto result = std::make_shared<TaskResult>();
    result->task_id = read_task_id(Field(object, "task_id"));
    result->name = Field(object, "name").text();
    result->group_id = shared(Field(object, "group_id").text_or_null());
    result->status = Field(object, "status").word(statuses(), "a status that is final");
    result->command = Field(object, "command").text_or_null();
    result->attempts = Field(object, "attempts").integer<int>();
    result->priority = Field(object, "priority").integer<int>();
    result->must_complete = Field(object, "must_complete").boolean();
    result->detached = Field(object, "detached").boolean();
    if (const Field metadata(object, "metadata"); !metadata.is_null()) {
      result->metadata = std::make_shared<const json>(std::move(metadata.any()));
    }
    result->created_at = Field(object, "created_at").time();
    result->started_at = Field(object, "started_at").time_or_null();
    result->finished_at = Field(object, "finished_at").time();
    result->duration = Field(object, "duration").time();
    result->message = Field(object, "message").text();
    CommandOutput output = read_output(object);
    read_attempts(*result, output, Field(object, "attempt_list"));
    result->output = std::make_shared<const CommandOutput>(std::move(output));
    return result;
  }

 private:
  /// Takes each result out of the tree as soon as it has been read.
  bool look_at(int depth, json::parse_event_t event, json& parsed) {
    using Event = json::parse_event_t;
    if (depth > kMostDepth) throw Error("it is nested too deeply");
    if (depth == 1 && event == Event::key) choose_list(parsed.get_ref<std::string&>());
    if (depth != 2 || event != Event::object_end || list_ == nullptr) return true;
    try {
      auto result = read_result(parsed);
      result->restored = list_ == &run_.summary.restored;
      list_->push_back(std::move(result));
    } catch (const Error& error) {
      throw Error(base::format("{}[{}]: {}", list_name_, list_->size(), error.what()));
    }
    return false;
  }

  void choose_list(const std::string& key) {
    list_name_ = key;
    list_ = nullptr;
    if (key == "results") list_ = &run_.summary.results;
    if (key == "restored_results") list_ = &run_.summary.restored;
  }

  /// The name of a group stands in each of its results, but once in memory.
  SharedText shared(std::string text) {
    const auto [known, is_new] = group_ids_.try_emplace(text);
    if (is_new) known->second = std::move(text);
    return known->second;
  }

  void read_run(json& object) {
    if (Field(object, "schema").integer<int>() != kSchema) {
      throw Error("its schema is another one than 1");
    }
    for (const char* list : {"results", "restored_results"}) {
      if (!Field(object, list).array().empty()) {
        throw Error(base::format("'{}' holds what is no object", list));
      }
    }
    RunSummary& summary = run_.summary;
    summary.total_submitted = Field(object, "total_submitted").integer<std::size_t>();
    summary.succeeded = Field(object, "succeeded").integer<std::size_t>();
    summary.failed = Field(object, "failed").integer<std::size_t>();
    summary.cancelled = Field(object, "cancelled").integer<std::size_t>();
    summary.timed_out = Field(object, "timed_out").boolean();
    summary.duration = Field(object, "duration").time();
    read_facts(object);
  }

  void read_facts(json& object) {
    RunFacts& facts = run_.facts;
    facts.name = Field(object, "name").text();
    const Field started_at(object, "started_at");
    const auto time = parse_rfc3339(started_at.text());
    if (!time) started_at.refuse("a time such as 2026-11-21T21:35:00.123Z");
    facts.started_at = *time;
    facts.interrupted_by = read_signal(Field(object, "interrupted_by"));
    json& detached = Field(object, "detached").object();
    facts.detached = {.total = Field(detached, "total").integer<std::size_t>(),
                      .succeeded = Field(detached, "succeeded").integer<std::size_t>(),
                      .failed = Field(detached, "failed").integer<std::size_t>(),
                      .cancelled = Field(detached, "cancelled").integer<std::size_t>()};
    facts.leaked = Field(object, "leaked").integer<std::size_t>();
  }

  SavedRun run_;
  ResultList* list_ = nullptr;  // what is being read; none: neither of the two
  std::string list_name_;
  std::unordered_map<std::string, SharedText> group_ids_;
};

}  // namespace

ResultPtr read_saved_result(std::string_view text, bool restored) {
  auto object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  auto result = Reader().read_result(object);
  result->restored = restored;
  return result;
}

SavedRun read_saved_run(std::string_view json) {
  return Reader().read(json);
}

}  // namespace osiiso::report
