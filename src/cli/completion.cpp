// SPDX-License-Identifier: MIT
#include <algorithm>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "osiiso/error.hpp"

#include "cli/commands.hpp"
#include "cli/result_stream.hpp"
#include "job/job.hpp"
#include "model/task_name.hpp"

namespace osiiso::cli {
namespace {

constexpr std::size_t kMostNames = 1'000;
constexpr std::uintmax_t kLargestJob = std::uintmax_t{16} << 20;  // somebody waits for the answer

struct Candidates {
  std::string_view others = "words";
  std::vector<std::pair<std::string, std::string>> words;  // with what they mean
};

bool takes_value(const OptionFacts* option) {
  return option != nullptr && !option->value_name.empty();
}

/// A glob that matches the name and nothing else.
std::string escape_glob(std::string_view name) {
  std::string escaped;
  for (const char c : name) {
    if (std::string_view("*?[\\").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::vector<job::Source> readable(const std::vector<std::string>& paths) {
  std::vector<job::Source> sources;
  for (const auto& path : paths) {
    std::error_code error;
    const bool is_small = std::filesystem::is_regular_file(path, error) &&
                          std::filesystem::file_size(path, error) <= kLargestJob;
    if (!is_small || error) continue;
    try {
      sources.push_back(job::load(path));
    } catch (const Error&) {  // the run will say so
    }
  }
  return sources;
}

/// The names of the files' groups or tasks.
std::set<std::string> names_in(const std::vector<std::string>& paths, bool of_groups) {
  std::set<std::string> names;
  const auto reading = job::read(readable(paths), {}, {}, job::RunInputs::no);
  if (!reading.plan) return names;
  const auto& batch = reading.plan->batch;
  if (of_groups) {
    for (const auto& group : batch.groups()) names.insert(group.options.group_id);
  } else {
    for (const auto& task : batch.tasks()) names.insert(model::name_of(task));
  }
  return names;
}

/// What a command line is made of, as far as its completion needs to know.
class Reader {
 public:
  explicit Reader(const CompleteCommand& command)
      : words_(command.words), index_(command.index), options_(options_of(command.words.front())) {
    bool only_operands = false;
    // What stands behind the command of `map` belongs to that; the word asked for begins none yet.
    const auto before = std::span(words_).first(std::min(index_, words_.size()));
    const std::size_t begin =
        words_.front() == "map" ? first_operand(before, options_) : before.size();
    for (std::size_t i = 1; i < words_.size(); ++i) {
      only_operands = only_operands || (i >= begin && begin < before.size());
      const bool is_word_asked_for = i == index_;
      if (is_word_asked_for) is_operand_ = only_operands;
      if (only_operands || !words_[i].starts_with('-')) {
        if (!is_word_asked_for) operands_.push_back(words_[i]);
      } else if (words_[i] == "--") {
        only_operands = true;
      } else if (takes_value(find_option(options_, words_[i])) && ++i == index_) {
        awaited_ = find_option(options_, words_[i - 1]);
      }
    }
  }

  Candidates candidates() const {
    const std::string current = index_ < words_.size() ? words_[index_] : std::string();
    if (awaited_ != nullptr) return values(*awaited_, "", current);
    if (is_operand_ || !current.starts_with('-')) return operand();
    const auto equals = current.find('=');
    if (equals == std::string::npos) return option_names();
    const auto* option = find_option(options_, current.substr(0, equals));
    if (!takes_value(option)) return {};
    return values(*option, current.substr(0, equals + 1), current.substr(equals + 1));
  }

 private:
  Candidates operand() const {
    const auto operand = std::ranges::find_if(
        options_, [](const OptionFacts& option) { return option.names.empty(); });
    if (operand == options_.end()) return {.others = "words", .words = {}};
    if (operand->words.empty()) return {.others = "files", .words = {}};
    return values(*operand, {}, {});
  }

  Candidates option_names() const {
    Candidates found;
    for (const auto& option : options_) {
      for (const auto& name : option.names) found.words.emplace_back(name, option.description);
    }
    return found;
  }

  Candidates values(const OptionFacts& option, const std::string& prefix,
                    std::string_view begun) const {
    Candidates found;
    for (const auto& word : option.words) {
      if (word.ends_with('=') && begun.starts_with(word)) return {.others = "files", .words = {}};
      found.words.emplace_back(prefix + word, "");
    }
    if (!found.words.empty()) return found;
    const bool is_group = &option == find_option(options_, "--group");
    if (is_group || &option == find_option(options_, "--task")) {
      for (const auto& name : names_in(operands_, is_group)) {
        found.words.emplace_back(prefix + escape_glob(name), "");
      }
    } else if (option.value_name.find("FILE") != std::string::npos) {
      found.others = "files";
    } else if (option.value_name.find("DIR") != std::string::npos) {
      found.others = "folders";
    }
    return found;
  }

  const std::vector<std::string>& words_;
  std::size_t index_;
  std::vector<OptionFacts> options_;
  std::vector<std::string> operands_;
  const OptionFacts* awaited_ = nullptr;  // whose value is asked for
  bool is_operand_ = false;               // what is asked for stands after `--`
};

Candidates commands() {
  Candidates found;
  for (const auto name : command_names()) found.words.emplace_back(name, "");
  for (const char* option : {"--help", "--version"}) found.words.emplace_back(option, "");
  return found;
}

}  // namespace

ExitCode complete(const CompleteCommand& command) {
  const Candidates found = command.index == 0 ? commands() : Reader(command).candidates();
  std::string_view begun;
  if (command.index < command.words.size()) begun = command.words[command.index];
  ResultStream out;
  out << found.others << '\n';
  std::size_t count = 0;
  for (const auto& [word, meaning] : found.words) {
    if (!word.starts_with(begun)) continue;
    if (++count > kMostNames) break;
    out << word;
    if (!meaning.empty()) out << '\t' << meaning;
    out << '\n';
  }
  return finish_result(out);
}

}  // namespace osiiso::cli
