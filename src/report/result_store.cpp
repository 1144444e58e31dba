// SPDX-License-Identifier: MIT
#include "report/result_store.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <string_view>

#include "osiiso/error.hpp"

#include "report/json.hpp"
#include "report/saved_run.hpp"

namespace osiiso::report {
namespace {

/// An entry of the index; a number without a result has zeros.
struct Entry {
  std::uint64_t at = 0;
  std::uint32_t size = 0;
  std::uint32_t restored = 0;
};
using EntryBytes = std::array<char, sizeof(Entry)>;

Entry entry_of(std::string_view bytes) {
  EntryBytes copy{};
  bytes.copy(copy.data(), copy.size());
  return std::bit_cast<Entry>(copy);
}

/// Where the entry of a task is.
std::uint64_t place_of(std::uint64_t number) {
  return (number - 1) * sizeof(Entry);
}

// A run that is not large needs no file.
constexpr std::size_t kMostKept = 1'000;

}  // namespace

void ResultStore::add(const ResultPtr& result) {
  groups_[result->restored ? 1 : 0].add(*result, result->number);
  if (has_room_for(*result) || !write(*result)) kept_.emplace(result->number, result);
}

/// Whether it is one of those that stay in memory; then its output is counted.
bool ResultStore::has_room_for(const TaskResult& result) {
  return kept_.size() < kMostKept && (!result.output || kept_output_.take(*result.output));
}

/// False where there is no place for it.
bool ResultStore::write(const TaskResult& result) {
  if (!is_file_usable_) return false;
  const std::string text = json_of(result);
  try {
    if (!files_) files_.emplace();
    const Entry entry{.at = files_->texts.append(text),
                      .size = static_cast<std::uint32_t>(text.size()),
                      .restored = result.restored};
    const auto bytes = std::bit_cast<EntryBytes>(entry);
    files_->index.write(place_of(result.number), {bytes.data(), bytes.size()});
  } catch (const SystemError&) {
    is_file_usable_ = false;
  }
  return is_file_usable_;
}

std::string ResultStore::read(std::uint64_t number) const {
  const auto entry = entry_of(files_->index.read(place_of(number), sizeof(Entry)));
  return files_->texts.read(entry.at, entry.size);
}

ResultStore::View::View(const ResultStore& store, bool restored)
    : store_(store), restored_(restored) {
  for (const auto& [number, result] : store.kept_) {
    if (result->restored == restored) numbers_.push_back(number);
  }
  if (store.files_) {
    add_written();
    std::ranges::sort(numbers_);
  }
}

void ResultStore::View::add_written() {
  constexpr std::size_t kEntries = 4096;
  const auto& index = store_.files_->index;
  std::uint64_t number = 0;
  for (std::uint64_t at = 0; at < index.size(); at += kEntries * sizeof(Entry)) {
    const std::string piece = index.read(at, kEntries * sizeof(Entry));
    for (std::size_t i = 0; i + sizeof(Entry) <= piece.size(); i += sizeof(Entry)) {
      const auto entry = entry_of(std::string_view(piece).substr(i, sizeof(Entry)));
      ++number;
      if (entry.size != 0 && (entry.restored != 0) == restored_) numbers_.push_back(number);
    }
  }
}

ResultPtr ResultStore::View::at(std::size_t index) const {
  const auto kept = store_.kept_.find(numbers_[index]);
  if (kept != store_.kept_.end()) return kept->second;
  return read_saved_result(store_.read(numbers_[index]), restored_);
}

std::string ResultStore::View::json(std::size_t index) const {
  const auto kept = store_.kept_.find(numbers_[index]);
  return kept != store_.kept_.end() ? json_of(*kept->second) : store_.read(numbers_[index]);
}

}  // namespace osiiso::report
