// SPDX-License-Identifier: MIT
#include "job/option_fields.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <limits>

#include <nlohmann/json.hpp>

#include "osiiso/error.hpp"

#include "base/format.hpp"
#include "job/keys.hpp"
#include "job/scalars.hpp"

namespace osiiso::job {
namespace {

// In the order of `Option`, and `needs` at the end.
constexpr auto kOptionNames = std::to_array<std::string_view>(
    {"priority", "must_complete", "timeout", "retries",  "retry_delay", "backoff",  "max_delay",
     "jitter",   "retry_on",      "delay",   "run_at",   "detached",    "metadata", "env",
     "cwd",      "stdin",         "shell",   "ok_codes", "grace",       "leak",     "needs"});

// What `null` sets back: the options that can be absent.
bool may_be_null(Option option) {
  switch (option) {
    case Option::timeout:
    case Option::max_delay:
    case Option::delay:
    case Option::run_at:
    case Option::metadata:
    case Option::cwd:
    case Option::stdin_:
    case Option::grace:
      return true;
    default:
      return false;
  }
}

template <typename T>
std::optional<FieldValue> as_field(std::optional<T> value) {
  if (!value) return std::nullopt;
  return FieldValue(std::move(*value));
}

constexpr auto kIntMin = std::numeric_limits<int>::min();
constexpr auto kIntMax = std::numeric_limits<int>::max();

}  // namespace

std::optional<Option> find_option(std::string_view name) {
  const auto found = std::ranges::find(kOptionNames, name);
  if (found == kOptionNames.end() || name == "needs") return std::nullopt;
  return static_cast<Option>(found - kOptionNames.begin());
}

std::span<const std::string_view> option_names() {
  return kOptionNames;
}

bool FieldReader::read_option(Value& value, RawOptions& options) {
  if (value.key == "needs") {
    options.needs = needs(value);
    return true;
  }
  const auto option = find_option(value.key);
  if (!option) return false;
  if (value.is_missing() && *option != Option::metadata) {
    refuse(value.key_at, base::format("'{}' has no value", value.key),
           may_be_null(*option) ? "write null for none" : "");
  } else if (auto read = field(*option, value)) {
    options.fields.push_back({*option, std::move(*read)});
  }
  return true;
}

std::optional<FieldValue> FieldReader::field(Option option, const Value& value) {
  if (value.kind == Value::Kind::null && may_be_null(option)) return FieldValue(std::monostate());
  switch (option) {
    case Option::priority:
      if (const auto read = integer(value, kIntMin, kIntMax)) return static_cast<int>(*read);
      return std::nullopt;
    case Option::retries:
      if (const auto read = integer(value, 0, kIntMax)) return static_cast<int>(*read);
      return std::nullopt;
    case Option::must_complete:
    case Option::detached:
      return as_field(boolean(value));
    case Option::timeout:
      return duration_field(value, false);
    case Option::retry_delay:
    case Option::max_delay:
    case Option::delay:
    case Option::grace:
      return duration_field(value, true);
    case Option::backoff:
      return backoff(value);
    case Option::jitter:
      return jitter(value);
    case Option::retry_on:
      return retry_on(value);
    case Option::run_at:
      return run_at(value);
    case Option::metadata:
      return metadata(value);
    case Option::env:
      if (auto read = environment(value)) {
        return FieldValue(std::make_shared<const Environment>(std::move(*read)));
      }
      return std::nullopt;
    case Option::cwd:
      return cwd(value);
    case Option::stdin_:
      return stdin_option(value);
    case Option::shell:
      return shell(value);
    case Option::ok_codes:
      return ok_codes(value);
    case Option::leak:
      return leak(value);
  }
  return std::nullopt;
}

void FieldReader::check_together(const RawOptions& options, std::uint32_t at) {
  const auto is_set = [&](Option option) {
    return std::ranges::any_of(options.fields, [&](const Field& field) {
      return field.option == option && !std::holds_alternative<std::monostate>(field.value);
    });
  };
  if (is_set(Option::delay) && is_set(Option::run_at)) {
    refuse(at, "delay and run_at are mutually exclusive");
  }
}

std::optional<FieldValue> FieldReader::duration_field(const Value& value, bool may_be_zero) {
  const auto read = duration(value);
  if (!read) return std::nullopt;
  if (*read == Duration::zero() && !may_be_zero) {
    refuse(value.at, base::format("{} must be > 0", value.key));
    return std::nullopt;
  }
  return *read;
}

std::optional<FieldValue> FieldReader::backoff(const Value& value) {
  const auto read = number(value);
  if (!read) return std::nullopt;
  if (*read <= 0) {
    refuse(value.at, "backoff must be > 0");
    return std::nullopt;
  }
  return *read;
}

std::optional<FieldValue> FieldReader::jitter(const Value& value) {
  const auto read = number(value);
  if (!read) return std::nullopt;
  if (*read < 0 || *read > 1) {
    refuse(value.at, "jitter must be between 0 and 1");
    return std::nullopt;
  }
  return *read;
}

std::optional<FieldValue> FieldReader::retry_on(const Value& value) {
  struct Word {
    std::string_view name;
    Cause cause;
  };
  constexpr auto kCauses = std::to_array<Word>({{"exit", Cause::exit},
                                                {"signal", Cause::signal},
                                                {"timeout", Cause::timeout},
                                                {"spawn", Cause::spawn},
                                                {"leak", Cause::leak},
                                                {"worker", Cause::worker}});
  if (value.kind != Value::Kind::list) {
    refuse_type(value, "a list of causes and exit codes", "such as [timeout, 75]");
    return std::nullopt;
  }
  RetryOn read{.causes = {}, .exit_codes = {}};
  bool is_good = true;
  for (const Value& item : value.items) {
    const auto found = std::ranges::find(kCauses, item.text, &Word::name);
    if (item.is_text() && found != kCauses.end()) {
      read.causes.insert(found->cause);
    } else if (item.is_text() && item.is_plain && parse_integer(item.text)) {
      const auto code = exit_code(item, "an exit code to retry");
      is_good = is_good && code;
      if (code) read.exit_codes.push_back(*code);
    } else {
      std::vector<std::string_view> names;
      names.reserve(kCauses.size());
      for (const Word& word : kCauses) names.push_back(word.name);
      const std::string near = item.is_text() ? did_you_mean(item.text, names) : "";
      refuse(item.at,
             base::format("retry_on takes {} or exit codes, not {}", listed(names, "or"),
                          describe(item)),
             near);
      is_good = false;
    }
  }
  if (!is_good) return std::nullopt;
  return FieldValue(std::make_shared<const RetryOn>(std::move(read)));
}

std::optional<FieldValue> FieldReader::run_at(const Value& value) {
  constexpr std::string_view kWhat = "an epoch number or an RFC 3339 time with zone";
  if (!value.is_text()) {
    refuse_type(value, kWhat);
    return std::nullopt;
  }
  if (const auto read = parse_time(value.text)) return *read;
  refuse_type(value, kWhat, "such as 2026-11-21T21:35:00Z");
  return std::nullopt;
}

std::optional<FieldValue> FieldReader::metadata(const Value& value) {
  try {
    return FieldValue(Metadata(std::make_shared<const nlohmann::json>(to_json(value))));
  } catch (const NotJson& problem) {
    refuse(problem.at, problem.text);
    return std::nullopt;
  }
}

std::optional<FieldValue> FieldReader::cwd(const Value& value) {
  const auto path = argument(value, "cwd");
  if (!path) return std::nullopt;
  if (path->empty()) {
    refuse(value.at, "cwd must not be empty");
    return std::nullopt;
  }
  return in_folder(*path);
}

std::optional<FieldValue> FieldReader::stdin_option(const Value& value) {
  if (value.is_text()) return value.text;
  const bool names_file = value.kind == Value::Kind::mapping && value.items.size() == 1 &&
                          value.items.front().key == "file";
  if (!names_file) {
    refuse_type(value, "a text or {file: PATH}");
    return std::nullopt;
  }
  const auto path = argument(value.items.front(), "file");
  if (!path) return std::nullopt;
  if (path->empty()) {
    refuse(value.items.front().at, "file must not be empty");
    return std::nullopt;
  }
  return StdinFile{in_folder(*path)};
}

std::optional<FieldValue> FieldReader::shell(const Value& value) {
  std::vector<std::string> words;
  if (value.kind == Value::Kind::list) {
    for (const Value& item : value.items) {
      auto word = argument(item, "a word of shell");
      if (!word) return std::nullopt;
      words.push_back(std::move(*word));
    }
  } else if (value.is_text()) {
    auto word = argument(value, "shell");
    if (!word) return std::nullopt;
    words.push_back(std::move(*word));
  } else {
    refuse_type(value, "a path or a list of words");
    return std::nullopt;
  }
  if (words.empty() || words.front().empty()) {
    refuse(value.at, "shell must not be empty");
    return std::nullopt;
  }
  if (words.size() == 1) words.emplace_back("-c");
  return FieldValue(std::make_shared<const std::vector<std::string>>(std::move(words)));
}

std::optional<FieldValue> FieldReader::ok_codes(const Value& value) {
  if (value.kind != Value::Kind::list) {
    refuse_type(value, "a list of exit codes", "such as [0, 3]");
    return std::nullopt;
  }
  if (value.items.empty()) {
    refuse(value.at, "ok_codes is empty, so that nothing could succeed");
    return std::nullopt;
  }
  std::vector<int> codes;
  for (const Value& item : value.items) {
    if (const auto code = exit_code(item, "an exit code")) codes.push_back(*code);
  }
  if (codes.size() < value.items.size()) return std::nullopt;
  return FieldValue(std::make_shared<const std::vector<int>>(std::move(codes)));
}

std::optional<int> FieldReader::exit_code(const Value& value, std::string_view what) {
  const auto code = value.is_text() && value.is_plain ? parse_integer(value.text) : std::nullopt;
  if (code && *code >= 0 && *code <= 255) return static_cast<int>(*code);
  refuse(value.at, base::format("{} is a number from 0 to 255, not {}", what, describe(value)));
  return std::nullopt;
}

std::optional<FieldValue> FieldReader::leak(const Value& value) {
  constexpr auto kLeaks = std::to_array<Leak>({Leak::kill, Leak::fail, Leak::keep});
  const auto read = word(value, kLeakNames);
  if (!read) return std::nullopt;
  return kLeaks[*read];
}

std::optional<Environment> FieldReader::environment(const Value& value) {
  if (value.kind != Value::Kind::mapping) {
    refuse_type(value, "a mapping of variables");
    return std::nullopt;
  }
  Environment read;
  for (const Value& item : value.items) {
    if (item.key.empty() ||
        item.key.find_first_of(std::string_view("=\0", 2)) != std::string::npos) {
      refuse(item.key_at, base::format("{} cannot be the name of a variable", shown(item.key)));
    } else if (item.is_missing()) {
      refuse(item.key_at, base::format("variable {} has no value", shown(item.key)),
             "write null to unset it, or '' for an empty text");
    } else if (item.kind == Value::Kind::null) {
      read[item.key] = std::nullopt;
    } else if (auto text = argument(item, "a variable")) {
      read[item.key] = std::move(*text);
    }
  }
  return read;
}

std::vector<RawNeed> FieldReader::needs(const Value& value) {
  std::vector<RawNeed> read;
  if (value.kind != Value::Kind::list) {
    refuse_type(value, "a list of tasks and groups",
                value.is_text() ? base::format("write [{}]", value.text) : "");
    return read;
  }
  for (const Value& item : value.items) {
    if (item.is_text() && !item.text.empty()) {
      read.push_back({item.text, item.at});
    } else {
      refuse(item.at,
             base::format("needs takes names of tasks and groups, not {}", describe(item)));
    }
  }
  return read;
}

std::string FieldReader::in_folder(const std::string& path) const {
  const std::filesystem::path whole = std::filesystem::path(folder_) / path;
  std::string normal = whole.lexically_normal().string();
  if (normal.size() > 1 && normal.ends_with('/')) normal.pop_back();
  return normal;
}

void apply_fields(const std::vector<Field>& fields, Effective& effective) {
  TaskOptions& options = effective.options;
  CommandSettings& settings = effective.settings;
  for (const Field& field : fields) {
    const FieldValue& value = field.value;
    const bool is_none = std::holds_alternative<std::monostate>(value);
    const auto optional_duration = [&]() -> std::optional<Duration> {
      return is_none ? std::nullopt : std::optional(std::get<Duration>(value));
    };
    switch (field.option) {
      case Option::priority:
        options.priority = std::get<int>(value);
        break;
      case Option::must_complete:
        options.must_complete = std::get<bool>(value);
        break;
      case Option::timeout:
        options.timeout = optional_duration();
        break;
      case Option::retries:
        options.retries = std::get<int>(value);
        break;
      case Option::retry_delay:
        options.retry_delay = std::get<Duration>(value);
        break;
      case Option::backoff:
        options.backoff = std::get<double>(value);
        break;
      case Option::max_delay:
        options.max_delay = optional_duration();
        break;
      case Option::jitter:
        options.jitter = std::get<double>(value);
        break;
      case Option::retry_on:
        options.retry_on = *std::get<std::shared_ptr<const RetryOn>>(value);
        break;
      case Option::delay:
        // The nearer of two options that exclude each other replaces the other.
        options.delay = optional_duration();
        if (options.delay) options.run_at.reset();
        break;
      case Option::run_at:
        options.run_at.reset();
        if (!is_none) {
          options.run_at = std::get<std::chrono::system_clock::time_point>(value);
          options.delay.reset();
        }
        break;
      case Option::detached:
        options.detached = std::get<bool>(value);
        break;
      case Option::metadata:
        options.metadata = is_none ? nullptr : std::get<Metadata>(value);
        break;
      case Option::env:
        for (const auto& [name, text] : *std::get<std::shared_ptr<const Environment>>(value)) {
          settings.env[name] = text;
        }
        break;
      case Option::cwd:
        settings.cwd = is_none ? std::string() : std::get<std::string>(value);
        break;
      case Option::stdin_:
        settings.stdin_text.reset();
        settings.stdin_file.reset();
        if (const auto* text = std::get_if<std::string>(&value)) settings.stdin_text = *text;
        if (const auto* file = std::get_if<StdinFile>(&value)) settings.stdin_file = file->path;
        break;
      case Option::shell:
        settings.shell = *std::get<std::shared_ptr<const std::vector<std::string>>>(value);
        break;
      case Option::ok_codes:
        settings.ok_codes = *std::get<std::shared_ptr<const std::vector<int>>>(value);
        break;
      case Option::grace:
        options.grace = optional_duration();
        break;
      case Option::leak:
        settings.leak = std::get<Leak>(value);
        break;
    }
  }
}

}  // namespace osiiso::job
