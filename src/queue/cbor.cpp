// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "osiiso/error.hpp"
#include "osiiso/remote_call.hpp"

#include "base/format.hpp"

namespace osiiso::detail {
namespace {

// Each level costs the reader a few hundred bytes of stack.
constexpr std::size_t kMostLevels = 1000;

/// Walks over CBOR (RFC 8949) without recursion; what is malformed ends the walk, for the reader
/// refuses it.
class NestingWalk {
 public:
  explicit NestingWalk(const std::vector<std::uint8_t>& bytes) : bytes_(bytes) {}

  /// Whether containers stand in more than `most` others.
  bool is_deeper_than(std::size_t most) {
    while (at_ < bytes_.size() && take_item()) {
      if (due_.size() > most) return true;
    }
    return false;
  }

 private:
  static constexpr std::uint64_t kUntilBreak = std::numeric_limits<std::uint64_t>::max();
  static constexpr std::uint8_t kBreak = 0xff;
  enum class Major : unsigned { bytes = 2, text = 3, array = 4, map = 5, tag = 6 };

  bool take_item() {
    const std::uint8_t head = bytes_[at_++];
    if (head == kBreak) {
      if (due_.empty() || due_.back() != kUntilBreak) return false;
      due_.pop_back();
      return close_full();
    }
    const auto major = static_cast<Major>(head >> 5U);
    const auto argument = take_argument(head & 0x1fU);
    if (!argument) return false;
    if (major == Major::tag) return true;  // the item follows
    if (!due_.empty() && due_.back() != kUntilBreak) --due_.back();

    const bool is_string = major == Major::bytes || major == Major::text;
    if (is_string && *argument != kUntilBreak) {
      if (*argument > bytes_.size() - at_) return false;
      at_ += static_cast<std::size_t>(*argument);
    } else if (is_string || major == Major::array) {
      due_.push_back(*argument);
    } else if (major == Major::map) {
      const bool is_counted = *argument < kUntilBreak / 2;
      due_.push_back(is_counted ? 2 * *argument : kUntilBreak);
    }
    return close_full();
  }

  /// The number in or after the head; `kUntilBreak` where there is none.
  std::optional<std::uint64_t> take_argument(unsigned info) {
    if (info < 24) return info;
    if (info == 31) return kUntilBreak;
    const std::size_t size = std::size_t{1} << (info - 24);
    if (info > 27 || size > bytes_.size() - at_) return {};
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = (value << 8U) | bytes_[at_++];
    return value;
  }

  bool close_full() {
    while (!due_.empty() && due_.back() == 0) due_.pop_back();
    return true;
  }

  const std::vector<std::uint8_t>& bytes_;
  std::size_t at_ = 0;
  std::vector<std::uint64_t> due_;  // items that each open container still lacks
};

}  // namespace

nlohmann::json read_cbor(const std::vector<std::uint8_t>& bytes) {
  if (NestingWalk(bytes).is_deeper_than(kMostLevels)) {
    throw Error(base::format("a value is nested deeper than {} levels", kMostLevels));
  }
  return nlohmann::json::from_cbor(bytes);
}

}  // namespace osiiso::detail
