// SPDX-License-Identifier: MIT
#include "job/task_identity.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

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

void add_list(CanonicalText& text, const std::vector<std::string>& words) {
  text.add_count(words.size());
  for (const auto& word : words) text.add(word);
}

/// A set, whatever order it was written in.
void add_codes(CanonicalText& text, const std::vector<int>& codes) {
  const std::set<int> ordered(codes.begin(), codes.end());
  text.add_count(ordered.size());
  for (const int code : ordered) text.add(base::format("{}", code));
}

std::uint64_t first_bits(std::string_view digest) {
  constexpr int kHex = 16;
  std::uint64_t bits = 0;
  std::from_chars(digest.data(), digest.data() + kHex, bits, kHex);
  return bits;
}

}  // namespace

std::string TaskIdentity::key() const {
  return copy == 1 ? digest : base::format("{}#{}", digest, copy);
}

IdentityMaker::IdentityMaker(std::string run_name, std::vector<std::string> folders)
    : run_name_(std::move(run_name)), folders_(std::move(folders)) {
  // The deepest first: a path is as written from the nearest folder above it.
  std::ranges::sort(folders_, [](const auto& a, const auto& b) { return a.size() > b.size(); });
}

TaskIdentity IdentityMaker::make(const std::string& group_id, const Command& command) {
  TaskIdentity made{.name_space = name_space(group_id), .digest = digest(command)};
  made.copy = ++counts_[made.name_space][first_bits(made.digest)];
  return made;
}

std::string IdentityMaker::name_space(const std::string& group_id) const {
  const auto group = group_id.empty() ? nlohmann::json() : nlohmann::json(group_id);
  return nlohmann::json::array({run_name_, group})
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string IdentityMaker::digest(const Command& command) const {
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

/// The path from the job file's folder, so that a checkpoint holds after the folder has moved.
std::string IdentityMaker::as_written(const std::string& path) const {
  for (std::string_view folder : folders_) {
    while (folder.ends_with('/')) folder.remove_suffix(1);
    if (!path.starts_with(folder)) continue;
    const std::string_view rest = std::string_view(path).substr(folder.size());
    if (rest.empty()) return path.empty() ? path : ".";
    if (rest.starts_with('/')) return "./" + std::string(rest.substr(1));
  }
  return path;
}

std::vector<TaskIdentity> identities(const Plan& plan) {
  IdentityMaker maker(plan.name, plan.folders);
  std::vector<TaskIdentity> all;
  all.reserve(plan.batch.tasks().size());
  for (const auto& task : plan.batch.tasks()) {
    all.push_back(maker.make(model::group_of(plan.batch, task), *task.body.command()));
  }
  return all;
}

}  // namespace osiiso::job
