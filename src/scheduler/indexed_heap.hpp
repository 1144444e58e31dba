// SPDX-License-Identifier: MIT
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace osiiso::scheduler {

/// A binary heap of indices whose elements know where they are, so that any of them can be taken
/// out in O(log n).
///
/// `Order` says `bool before(a, b)`, a strict order of indices that does not change while they are
/// in the heap, and `std::uint32_t& slot(a)`, where the heap keeps the position of `a`. An element
/// that is in no other heap meanwhile needs one slot for all of them.
template <typename Order>
class IndexedHeap {
 public:
  explicit IndexedHeap(Order order) : order_(order) {}

  bool empty() const { return items_.empty(); }
  std::size_t size() const { return items_.size(); }
  std::uint32_t top() const {
    assert(!items_.empty());
    return items_.front();
  }

  void push(std::uint32_t item) {
    items_.push_back(item);
    rise(items_.size() - 1);
  }

  /// `item` is in this heap.
  void erase(std::uint32_t item) {
    const std::size_t hole = order_.slot(item);
    assert(hole < items_.size() && items_[hole] == item);
    const std::uint32_t last = items_.back();
    items_.pop_back();
    if (last == item) return;
    items_[hole] = last;
    order_.slot(last) = static_cast<std::uint32_t>(hole);
    rise(hole);
    sink(order_.slot(last));
  }

  /// In heap order, for checks.
  std::span<const std::uint32_t> items() const { return items_; }

  /// Whether every element knows its place and none is before its parent.
  bool is_consistent() const {
    for (std::size_t at = 0; at < items_.size(); ++at) {
      if (order_.slot(items_[at]) != at) return false;
      if (at > 0 && order_.before(items_[at], items_[(at - 1) / 2])) return false;
    }
    return true;
  }

 private:
  void place(std::size_t at, std::uint32_t item) {
    items_[at] = item;
    order_.slot(item) = static_cast<std::uint32_t>(at);
  }

  void rise(std::size_t at) {
    const std::uint32_t item = items_[at];
    while (at > 0) {
      const std::size_t parent = (at - 1) / 2;
      if (!order_.before(item, items_[parent])) break;
      place(at, items_[parent]);
      at = parent;
    }
    place(at, item);
  }

  void sink(std::size_t at) {
    const std::uint32_t item = items_[at];
    for (;;) {
      std::size_t child = 2 * at + 1;
      if (child >= items_.size()) break;
      if (child + 1 < items_.size() && order_.before(items_[child + 1], items_[child])) ++child;
      if (!order_.before(items_[child], item)) break;
      place(at, items_[child]);
      at = child;
    }
    place(at, item);
  }

  Order order_;
  std::vector<std::uint32_t> items_;
};

}  // namespace osiiso::scheduler
