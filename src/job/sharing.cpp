// SPDX-License-Identifier: MIT
#include "job/sharing.hpp"

#include <bit>

#include <nlohmann/json.hpp>

namespace osiiso::job {
namespace {

// Writes values down so that equal bytes mean equal values.
class Signature {
 public:
  Signature& add(std::int64_t value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Signature& add(double value) { return add(std::bit_cast<std::int64_t>(value)); }
  Signature& add(const std::string& text) {
    add(static_cast<std::int64_t>(text.size()));
    bytes_ += text;
    return *this;
  }
  template <typename T>
  Signature& add(const std::optional<T>& value) {
    add(std::int64_t{value.has_value()});
    if (value) add_value(*value);
    return *this;
  }
  std::string release() { return std::move(bytes_); }

 private:
  void add_value(Duration value) { add(std::int64_t{value.count()}); }
  void add_value(std::chrono::system_clock::time_point value) {
    add(std::int64_t{value.time_since_epoch().count()});
  }
  void add_value(const std::string& value) { add(value); }

  std::string bytes_;
};

std::string signature(const TaskOptions& options) {
  Signature made;
  made.add(options.name).add(options.group_id);
  made.add(std::int64_t{options.priority}).add(std::int64_t{options.must_complete});
  made.add(std::int64_t{options.retries}).add(std::int64_t{options.retry_delay.count()});
  made.add(options.backoff).add(options.max_delay).add(options.jitter);
  made.add(std::int64_t{options.retry_on.causes.bits()});
  for (const int code : options.retry_on.exit_codes) made.add(std::int64_t{code});
  made.add(std::int64_t{-1});  // the codes are not negative
  made.add(options.timeout).add(options.grace).add(options.delay).add(options.run_at);
  made.add(std::int64_t{options.detached});
  made.add(options.metadata ? options.metadata->dump() : std::string());
  return made.release();
}

std::string signature(const CommandSettings& settings) {
  Signature made;
  made.add(static_cast<std::int64_t>(settings.env.size()));
  for (const auto& [name, value] : settings.env) made.add(name).add(value);
  made.add(settings.cwd).add(settings.stdin_text).add(settings.stdin_file);
  made.add(static_cast<std::int64_t>(settings.shell.size()));
  for (const std::string& word : settings.shell) made.add(word);
  for (const int code : settings.ok_codes) made.add(std::int64_t{code});
  made.add(std::int64_t{-1}).add(static_cast<std::int64_t>(settings.leak));
  return made.release();
}

template <typename T, typename Known>
auto find_or_make(Known& known, T value) {
  auto& entry = known[signature(value)];
  if (!entry) entry = std::make_shared<const T>(std::move(value));
  return entry;
}

}  // namespace

SharedEffective Sharing::share(Effective effective) {
  return {find_or_make(options_, std::move(effective.options)),
          find_or_make(settings_, std::move(effective.settings))};
}

}  // namespace osiiso::job
