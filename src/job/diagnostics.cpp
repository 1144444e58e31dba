// SPDX-License-Identifier: MIT
#include "job/diagnostics.hpp"

#include <algorithm>
#include <tuple>

#include "base/format.hpp"
#include "base/text.hpp"

namespace osiiso::job {
namespace {

constexpr std::size_t kMostShown = 100;
// Beyond that they are only counted: a file of a million mistakes needs no million texts.
constexpr std::size_t kMostKept = 10'000;
constexpr std::size_t kWidestLine = 100;  // columns of a source line that are shown
constexpr std::size_t kWidestWord = 60;
// More bytes of a line than that cannot be shown on either side of the place.
constexpr std::size_t kNearPlace = 4 * kWidestLine;
constexpr std::string_view kEllipsis = "…";

bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

// The end of the character that begins at `at`.
std::size_t next_character(std::string_view text, std::size_t at) {
  do ++at;
  while (at < text.size() && is_continuation(text[at]));
  return at;
}

std::size_t count_characters(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = next_character(text, at);
    const std::string_view one = text.substr(at, end - at);
    // What only changes the character in front of it is not seen as one.
    if (one.size() == 1 || base::display_width(one) > 0) ++count;
    at = end;
  }
  return count;
}

std::string safe(std::string_view bytes) {
  return base::escape_controls(base::replace_invalid_utf8(bytes));
}

// Cuts `before` from the left until at most `columns` remain. True if anything was cut.
bool cut_front(std::string& before, std::size_t columns) {
  std::size_t from = 0;
  while (base::display_width(std::string_view(before).substr(from)) > columns) {
    from = next_character(before, from);
  }
  before.erase(0, from);
  return from > 0;
}

struct Line {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t number = 1;
};

Line line_around(std::string_view text, std::size_t offset) {
  Line line;
  const std::string_view before = text.substr(0, offset);
  line.number = 1 + static_cast<std::size_t>(std::ranges::count(before, '\n'));
  const std::size_t newline = before.rfind('\n');
  line.begin = newline == std::string_view::npos ? 0 : newline + 1;
  line.end = std::min(text.find('\n', offset), text.size());
  if (line.end > offset && text[line.end - 1] == '\r') --line.end;
  return line;
}

// At the end of the text there may be no line to show: the last one that has something is meant.
std::size_t onto_a_line(std::string_view text, std::size_t offset) {
  offset = std::min(offset, text.size());
  if (offset == text.size() && text.ends_with('\n')) {
    const std::size_t last = text.find_last_not_of(" \t\r\n");
    offset = last == std::string_view::npos ? 0 : next_character(text, last);
  }
  while (offset > 0 && offset < text.size() && is_continuation(text[offset])) --offset;
  return offset;
}

}  // namespace

std::string_view body_of(const Source& source) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  std::string_view text = source.text;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return text;
}

std::string describe(std::span<const Source> sources, Place place, Place seen_from) {
  const Source& source = sources[place.file];
  const std::string_view text = body_of(source);
  const std::size_t line = line_around(text, onto_a_line(text, place.offset)).number;
  if (place.file == seen_from.file) return base::format("line {}", line);
  return base::format("{}:{}", safe(source.name), line);
}

void Diagnostics::add(Place place, std::string text, std::string hint) {
  add({place, false, std::move(text), std::move(hint)});
}

void Diagnostics::add_last(Place place, std::string text, std::string hint) {
  incomplete_ = true;
  add({place, true, std::move(text), std::move(hint)});
}

void Diagnostics::forget_from(Place place) {
  std::erase_if(entries_, [&](const Entry& entry) {
    return entry.place.file == place.file && entry.place.offset >= place.offset;
  });
}

void Diagnostics::add(Entry entry) {
  if (entries_.size() < kMostKept || entry.is_last) {
    entries_.push_back(std::move(entry));
  } else {
    ++dropped_;
  }
}

std::vector<Diagnostic> Diagnostics::finish() {
  const auto rank = [](const Entry& e) {
    // The command line comes last, since what it names is in the files.
    return std::tie(e.place.file, e.is_last, e.place.offset);
  };
  std::ranges::stable_sort(entries_, {}, rank);
  // An alias lets the same mistake be met many times.
  const auto same = [](const Entry& a, const Entry& b) {
    return a.place == b.place && a.text == b.text;
  };
  entries_.erase(std::unique(entries_.begin(), entries_.end(), same), entries_.end());

  std::vector<Diagnostic> shown;
  for (Entry& entry : entries_) {
    if (shown.size() == kMostShown) break;
    shown.push_back(locate(entry));
  }
  const std::size_t more = entries_.size() - shown.size() + dropped_;
  if (more > 0) {
    Diagnostic rest;
    rest.text = base::format("… and {} more", more);
    shown.push_back(std::move(rest));
  }
  return shown;
}

Diagnostic Diagnostics::locate(Entry& entry) const {
  Diagnostic made;
  made.text = std::move(entry.text);
  made.hint = std::move(entry.hint);
  if (entry.place.file == Place::kNoFile) return made;

  const Source& source = sources_[entry.place.file];
  const std::string_view text = body_of(source);
  const std::size_t offset = onto_a_line(text, entry.place.offset);
  const Line line = line_around(text, offset);
  made.file = source.name;
  made.line = line.number;
  made.column = 1 + count_characters(text.substr(line.begin, offset - line.begin));

  std::size_t near_begin = line.begin;
  if (offset - line.begin > kNearPlace) {
    near_begin = offset - kNearPlace;
    while (near_begin < offset && is_continuation(text[near_begin])) ++near_begin;
  }
  std::string before = safe(text.substr(near_begin, offset - near_begin));
  std::string after = safe(text.substr(offset, std::min(line.end - offset, kNearPlace)));
  const std::size_t after_width = base::display_width(after);
  const std::size_t wanted =
      after_width < kWidestLine / 2 ? kWidestLine - after_width - 1 : kWidestLine / 2;
  const bool is_cut = cut_front(before, wanted) || near_begin > line.begin;
  if (is_cut) before.insert(0, kEllipsis);
  made.caret = base::display_width(before);
  made.source_line = before + base::cut_to_width(after, kWidestLine - made.caret);
  return made;
}

std::string to_string(const Diagnostic& diagnostic) {
  const std::string text = safe(diagnostic.text);
  std::string all;
  if (diagnostic.line > 0) {
    all = base::format("{}:{}:{}: error: {}", safe(diagnostic.file), diagnostic.line,
                       diagnostic.column, text);
  } else {
    all = text.starts_with(kEllipsis) ? text : "osiiso: " + text;
  }
  if (!diagnostic.source_line.empty()) {
    all += '\n' + diagnostic.source_line + '\n' + std::string(diagnostic.caret, ' ') + '^';
  }
  if (!diagnostic.hint.empty()) all += '\n' + safe(diagnostic.hint);
  return all;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
  const auto near = base::nearest(word, candidates);
  return near ? base::format("did you mean {}?", shown(*near)) : std::string();
}

std::string listed(std::span<const std::string_view> words, std::string_view conjunction) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0 && i + 1 == words.size()) {
      text += base::format(" {} ", conjunction);
    } else if (i > 0) {
      text += ", ";
    }
    text += words[i];
  }
  return text;
}

std::string shown(std::string_view text) {
  return "'" + base::cut_to_width(safe(text.substr(0, 4 * kWidestWord + 4)), kWidestWord) + "'";
}

}  // namespace osiiso::job
