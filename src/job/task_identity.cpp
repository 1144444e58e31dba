// SPDX-License-Identifier: MIT
#include "job/task_identity.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>

#include <nlohmann/json.hpp>

#include "base/format.hpp"
#include "base/sha256.hpp"
#include "model/task_name.hpp"

namespace osiiso::job {
namespace {

/// Values one after the other, each with its length or a mark, so that no two lists of values give
/// the same text.
class CanonicalText {
 public:
  CanonicalText& add(std::string_view value) {
    text_ += base::format("{}:", value.size());
    text_ += value;
    return *this;
  }
  CanonicalText& add_optional(const std::optional<std::string>& value) {
    if (value) return add(*value);
    text_ += '-';
    return *this;
  }
  CanonicalText& add_count(std::size_t count) {
    text_ += base::format("{};", count);
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

class IdentityMaker {
 public:
  explicit IdentityMaker(const Plan& plan) : plan_(plan), folders_(plan.folders) {
    // The deepest first: a path is as written from the nearest folder above it.
    std::ranges::sort(folders_, [](const auto& a, const auto& b) { return a.size() > b.size(); });
  }

  TaskIdentity make(const Batch::TaskEntry& task) {
    TaskIdentity made{.name_space = name_space(task), .digest = digest(*task.body.command())};
    made.copy = ++counts_[made.name_space][made.digest];
    return made;
  }

 private:
  std::string name_space(const Batch::TaskEntry& task) const {
    const std::string group = model::group_of(plan_.batch, task);
    return nlohmann::json::array(
               {plan_.name, group.empty() ? nlohmann::json() : nlohmann::json(group)})
        .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }

  std::string digest(const Command& command) const {
    const auto& settings = command.settings();
    CanonicalText text;
    text.add(command.is_shell() ? "shell" : "argv");
    add_list(text, command.words());
    add_list(text, command.is_shell() ? settings.shell : std::vector<std::string>());
    text.add(command.variables());
    text.add_count(settings.env.size());
    for (const auto& [name, value] : settings.env) text.add(name).add_optional(value);
    text.add(as_written(settings.cwd));
    text.add_optional(settings.stdin_text);
    text.add_optional(settings.stdin_file ? std::optional(as_written(*settings.stdin_file))
                                          : std::nullopt);
    add_codes(text, settings.ok_codes);
    return base::sha256_hex(text.text());
  }

  static void add_list(CanonicalText& text, const std::vector<std::string>& words) {
    text.add_count(words.size());
    for (const auto& word : words) text.add(word);
  }

  /// A set, whatever order it was written in.
  static void add_codes(CanonicalText& text, const std::vector<int>& codes) {
    const std::set<int> ordered(codes.begin(), codes.end());
    text.add_count(ordered.size());
    for (const int code : ordered) text.add(base::format("{}", code));
  }

  /// The path from the job file's folder, so that a checkpoint holds after the folder has moved.
  std::string as_written(const std::string& path) const {
    for (std::string_view folder : folders_) {
      while (folder.ends_with('/')) folder.remove_suffix(1);
      if (!path.starts_with(folder)) continue;
      const std::string_view rest = std::string_view(path).substr(folder.size());
      if (rest.empty()) return path.empty() ? path : ".";
      if (rest.starts_with('/')) return "./" + std::string(rest.substr(1));
    }
    return path;
  }

  const Plan& plan_;
  std::vector<std::string> folders_;
  std::map<std::string, std::unordered_map<std::string, int>> counts_;  // namespace, digest
};

}  // namespace

std::string TaskIdentity::key() const {
  return copy == 1 ? digest : base::format("{}#{}", digest, copy);
}

std::vector<TaskIdentity> identities(const Plan& plan) {
  IdentityMaker maker(plan);
  std::vector<TaskIdentity> all;
  all.reserve(plan.batch.tasks().size());
  for (const auto& task : plan.batch.tasks()) all.push_back(maker.make(task));
  return all;
}

}  // namespace osiiso::job
