// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "job/job.hpp"

namespace osiiso::job {

/// Where something stands: a byte of a job file, counted behind its byte order mark.
struct Place {
  static constexpr std::uint32_t kNoFile = UINT32_MAX;

  std::uint32_t file = kNoFile;  ///< index of the source; none: the command line
  std::uint32_t offset = 0;

  bool operator==(const Place&) const = default;
};

/// The text of a source without its byte order mark: what places count in.
std::string_view body_of(const Source& source);

/// `NAME:LINE`, or `line LINE` where both places are in the same file.
std::string describe(std::span<const Source> sources, Place place, Place seen_from);

/// Collects mistakes, in any order.
class Diagnostics {
 public:
  explicit Diagnostics(std::span<const Source> sources) : sources_(sources) {}

  void add(Place place, std::string text, std::string hint = {});
  /// A mistake that ended the reading of its file, and so is shown after the file's others.
  void add_last(Place place, std::string text, std::string hint = {});

  /// Forgets the mistakes at and behind a place, which turned out to come of another one.
  void forget_from(Place place);

  bool empty() const { return entries_.empty(); }
  /// Whether the reading of some file ended early, so that what depends on the whole is unknown.
  bool incomplete() const { return incomplete_; }
  std::span<const Source> sources() const { return sources_; }

  /// Sorted by place, each one once, bounded.
  std::vector<Diagnostic> finish();

 private:
  struct Entry {
    Place place;
    bool is_last = false;
    std::string text;
    std::string hint;
  };

  void add(Entry entry);
  Diagnostic locate(Entry& entry) const;

  std::span<const Source> sources_;
  std::vector<Entry> entries_;
  std::size_t dropped_ = 0;
  bool incomplete_ = false;
};

/// `did you mean 'WORD'?` for the nearest candidate, or empty.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

/// The words as a sentence has them: `a, b or c`.
std::string listed(std::span<const std::string_view> words, std::string_view conjunction);

/// `text` in quotes, safe to show and cut where it is long.
std::string shown(std::string_view text);

}  // namespace osiiso::job
