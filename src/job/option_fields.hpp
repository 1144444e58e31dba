// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "osiiso/command.hpp"
#include "osiiso/task_options.hpp"

#include "job/value.hpp"

namespace osiiso::job {

/// The task options of a job file, each once.
enum class Option : std::uint8_t {
  priority,
  must_complete,
  timeout,
  retries,
  retry_delay,
  backoff,
  max_delay,
  jitter,
  retry_on,
  delay,
  run_at,
  detached,
  metadata,
  env,
  cwd,
  stdin_,
  shell,
  ok_codes,
  grace,
  leak,
};

/// The option of that name; `needs` is none, for it adds up instead of replacing.
std::optional<Option> find_option(std::string_view name);
/// All names, `needs` among them.
std::span<const std::string_view> option_names();

using Environment = std::map<std::string, std::optional<std::string>>;

struct StdinFile {
  std::string path;
};

/// What an option was set to; `std::monostate` sets it back to what is built in.
using FieldValue = std::variant<
    std::monostate, bool, int, double, Duration, std::chrono::system_clock::time_point, std::string,
    StdinFile, Leak, Metadata, std::shared_ptr<const RetryOn>, std::shared_ptr<const Environment>,
    std::shared_ptr<const std::vector<std::string>>, std::shared_ptr<const std::vector<int>>>;

struct Field {
  Option option;
  FieldValue value;
};

/// A name in `needs`, and its place.
struct RawNeed {
  std::string name;
  std::uint32_t at;
};

/// The options that one place of the file sets: `defaults`, a group or a task.
struct RawOptions {
  std::vector<Field> fields;
  std::vector<RawNeed> needs;

  bool empty() const { return fields.empty() && needs.empty(); }
};

/// Reads values of one file and says what is wrong with them.
class FieldReader {
 public:
  FieldReader(std::uint32_t file, std::string folder, Diagnostics& diagnostics)
      : file_(file), folder_(std::move(folder)), diagnostics_(diagnostics) {}

  /// Reads the task option that `value.key` names. False where there is no such option.
  bool read_option(Value& value, RawOptions& options);
  /// To be called when all options of one place were read: two of them exclude each other.
  void check_together(const RawOptions& options, std::uint32_t at);

  std::optional<Environment> environment(const Value& value);
  std::vector<RawNeed> needs(const Value& value);

  // Scalars. None, with a diagnostic, for what is not one; `value.key` is named in the text.
  std::optional<bool> boolean(const Value& value);
  std::optional<std::int64_t> integer(const Value& value, std::int64_t least, std::int64_t most);
  std::optional<double> number(const Value& value);
  std::optional<Duration> duration(const Value& value);
  std::optional<std::string> text(const Value& value);
  /// One of the words, as its index.
  std::optional<std::size_t> word(const Value& value, std::span<const std::string_view> words,
                                  std::string_view hint = {});
  /// A text of one line, for names.
  std::optional<std::string> name(const Value& value);
  /// Text for a program: as it is written, without NUL.
  std::optional<std::string> argument(const Value& value, std::string_view what);

  /// `path` from the folder of the file.
  std::string in_folder(const std::string& path) const;

  void refuse(std::uint32_t at, std::string text, std::string hint = {});
  /// `KEY must be WHAT, not a list`.
  void refuse_type(const Value& value, std::string_view what, std::string hint = {});
  void refuse_unknown(const Value& value, std::span<const std::string_view> known,
                      std::string_view where);

 private:
  std::optional<FieldValue> field(Option option, const Value& value);
  std::optional<FieldValue> duration_field(const Value& value, bool may_be_zero);
  std::optional<FieldValue> backoff(const Value& value);
  std::optional<FieldValue> jitter(const Value& value);
  std::optional<FieldValue> retry_on(const Value& value);
  std::optional<FieldValue> run_at(const Value& value);
  std::optional<FieldValue> metadata(const Value& value);
  std::optional<FieldValue> cwd(const Value& value);
  std::optional<FieldValue> stdin_option(const Value& value);
  std::optional<FieldValue> shell(const Value& value);
  std::optional<FieldValue> ok_codes(const Value& value);
  std::optional<FieldValue> leak(const Value& value);
  std::optional<int> exit_code(const Value& value, std::string_view what);

  std::uint32_t file_;
  std::string folder_;
  Diagnostics& diagnostics_;
};

/// A task's options and its command's settings, as far as they are known.
struct Effective {
  TaskOptions options;
  CommandSettings settings;
};

/// Sets what `fields` say, over what was set before.
void apply_fields(const std::vector<Field>& fields, Effective& effective);

}  // namespace osiiso::job
