// SPDX-License-Identifier: MIT
#include "process/capture.hpp"

#include <algorithm>
#include <utility>

#include "base/format.hpp"

namespace osiiso::process {
namespace {

bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

std::size_t sequence_length(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
}

// Bytes at the end of `text` that begin a character without completing it.
std::size_t cut_character_at_end(std::string_view text) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    const char byte = text[text.size() - back];
    if (!is_continuation(byte)) return sequence_length(byte) > back ? back : 0;
  }
  return 0;
}

// Bytes at the beginning of `text` that only complete one. More than three are no UTF-8 at all.
std::size_t cut_character_at_start(std::string_view text) {
  std::size_t count = 0;
  while (count < text.size() && is_continuation(text[count])) ++count;
  return count <= 3 ? count : 0;
}

}  // namespace

void Capture::append(std::string_view bytes) {
  total_ += bytes.size();
  const std::size_t to_head = std::min(bytes.size(), kKept - head_.size());
  head_.append(bytes.substr(0, to_head));
  append_to_tail(bytes.substr(to_head));
}

void Capture::append_to_tail(std::string_view bytes) {
  if (bytes.size() >= kKept) {
    tail_.assign(bytes.substr(bytes.size() - kKept));
    tail_start_ = 0;
    return;
  }
  const std::size_t growth = std::min(bytes.size(), kKept - tail_.size());
  tail_.append(bytes.substr(0, growth));
  for (bytes.remove_prefix(growth); !bytes.empty();) {
    const std::size_t count = std::min(bytes.size(), kKept - tail_start_);
    bytes.copy(tail_.data() + tail_start_, count);
    tail_start_ = (tail_start_ + count) % kKept;
    bytes.remove_prefix(count);
  }
}

std::string Capture::take_text() {
  std::string text = std::exchange(head_, {});
  std::string tail = std::exchange(tail_, {});
  const std::uint64_t total = std::exchange(total_, 0);
  std::rotate(tail.begin(), tail.begin() + static_cast<std::ptrdiff_t>(tail_start_), tail.end());
  tail_start_ = 0;
  if (total <= text.size() + tail.size()) return text += tail;

  text.resize(text.size() - cut_character_at_end(text));
  std::string_view end = tail;
  end.remove_prefix(cut_character_at_start(end));
  text += base::format("\n[... {} bytes left out ...]\n", total - text.size() - end.size());
  return text += end;
}

}  // namespace osiiso::process
