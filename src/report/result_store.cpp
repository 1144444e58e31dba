// SPDX-License-Identifier: MIT
#include "report/result_store.hpp"

#include <array>
#include <bit>
#include <string_view>

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

}  // namespace

void ResultStore::add(const TaskResult& result) {
  const std::string text = json_of(result);
  const Entry entry{.at = texts_.append(text),
                    .size = static_cast<std::uint32_t>(text.size()),
                    .restored = result.restored};
  const auto bytes = std::bit_cast<EntryBytes>(entry);
  index_.write((result.number - 1) * sizeof(Entry), {bytes.data(), bytes.size()});
}

ResultStore::View::View(const ResultStore& store, bool restored)
    : store_(store), restored_(restored) {
  constexpr std::size_t kEntries = 4096;
  for (std::uint64_t at = 0; at < store.index_.size(); at += kEntries * sizeof(Entry)) {
    const std::string piece = store.index_.read(at, kEntries * sizeof(Entry));
    for (std::size_t i = 0; i + sizeof(Entry) <= piece.size(); i += sizeof(Entry)) {
      EntryBytes bytes{};
      piece.copy(bytes.data(), bytes.size(), i);
      const auto entry = std::bit_cast<Entry>(bytes);
      if (entry.size == 0 || (entry.restored != 0) != restored) continue;
      places_.push_back({.at = entry.at, .size = entry.size});
    }
  }
}

ResultPtr ResultStore::View::at(std::size_t index) const {
  return read_saved_result(json(index), restored_);
}

std::string ResultStore::View::json(std::size_t index) const {
  return store_.texts_.read(places_[index].at, places_[index].size);
}

}  // namespace osiiso::report
