// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

namespace osiiso::scheduler {

/// A priority queue of indices whose elements know where they are, so that any of them can be taken
/// out in O(log n).
///
/// What is pushed in order, as most things are, stands in a sorted run, where pushing and taking
/// out cost O(1); the rest stands in a binary heap.
///
/// `Order` says `bool before(a, b)`, a strict order of indices that does not change while they are
/// in the heap, and `std::uint32_t& slot(a)`, where the heap keeps the position of `a`. An element
/// that is in no other heap meanwhile needs one slot for all of them.
template <typename Order>
class IndexedHeap {
 public:
  explicit IndexedHeap(Order order) : order_(order) {}

  bool empty() const { return in_run_ == 0 && heap_.empty(); }
  std::size_t size() const { return in_run_ + heap_.size(); }
  std::uint32_t top() const {
    assert(!empty());
    if (in_run_ == 0) return heap_.front();
    if (heap_.empty() || order_.before(run_[first_], heap_.front())) return run_[first_];
    return heap_.front();
  }

  void push(std::uint32_t item) {
    if (in_run_ == 0 || order_.before(run_.back(), item)) {
      push_to_run(item);
    } else {
      heap_.push_back(item);
      rise(heap_.size() - 1);
    }
  }

  /// `item` is in this heap.
  void erase(std::uint32_t item) {
    const std::size_t slot = order_.slot(item);
    if ((slot & kInRun) != 0) {
      erase_from_run(slot - kInRun, item);
    } else {
      erase_from_heap(slot, item);
    }
  }

  /// In no particular order, for checks.
  std::vector<std::uint32_t> items() const {
    std::vector<std::uint32_t> items = heap_;
    std::ranges::copy_if(run_, std::back_inserter(items), [](auto item) { return item != kHole; });
    return items;
  }

  /// Whether every element knows its place, none in the heap is before its parent, and the run is
  /// in order, with nothing but elements at its ends.
  bool is_consistent() const {
    for (std::size_t at = 0; at < heap_.size(); ++at) {
      if (order_.slot(heap_[at]) != at) return false;
      if (at > 0 && order_.before(heap_[at], heap_[(at - 1) / 2])) return false;
    }
    std::size_t live = 0;
    for (std::size_t at = 0, last = kHole; at < run_.size(); ++at) {
      const std::uint32_t item = run_[at];
      if (item == kHole) continue;
      if (at < first_ || order_.slot(item) != (at | kInRun)) return false;
      if (last != kHole && !order_.before(static_cast<std::uint32_t>(last), item)) return false;
      last = item;
      ++live;
    }
    if (live != in_run_) return false;
    return live == 0 ? run_.empty() : run_[first_] != kHole && run_.back() != kHole;
  }

 private:
  static constexpr std::uint32_t kInRun = 1U << 31U;  // in a slot: a position in the run
  static constexpr std::uint32_t kHole = 0xffffffff;  // in the run: was taken out

  void push_to_run(std::uint32_t item) {
    order_.slot(item) = static_cast<std::uint32_t>(run_.size()) | kInRun;
    run_.push_back(item);
    ++in_run_;
  }

  void erase_from_run(std::size_t at, [[maybe_unused]] std::uint32_t item) {
    assert(at < run_.size() && run_[at] == item);
    run_[at] = kHole;
    --in_run_;
    if (in_run_ == 0) {
      run_.clear();
      first_ = 0;
      return;
    }
    while (run_[first_] == kHole) ++first_;
    while (run_.back() == kHole) run_.pop_back();
    if (in_run_ < run_.size() / 4) close_holes();
  }

  void close_holes() {
    std::erase(run_, kHole);
    first_ = 0;
    for (std::size_t at = 0; at < run_.size(); ++at) {
      order_.slot(run_[at]) = static_cast<std::uint32_t>(at) | kInRun;
    }
  }

  void erase_from_heap(std::size_t hole, std::uint32_t item) {
    assert(hole < heap_.size() && heap_[hole] == item);
    const std::uint32_t last = heap_.back();
    heap_.pop_back();
    if (last == item) return;
    heap_[hole] = last;
    order_.slot(last) = static_cast<std::uint32_t>(hole);
    rise(hole);
    sink(order_.slot(last));
  }

  void place(std::size_t at, std::uint32_t item) {
    heap_[at] = item;
    order_.slot(item) = static_cast<std::uint32_t>(at);
  }

  void rise(std::size_t at) {
    const std::uint32_t item = heap_[at];
    while (at > 0) {
      const std::size_t parent = (at - 1) / 2;
      if (!order_.before(item, heap_[parent])) break;
      place(at, heap_[parent]);
      at = parent;
    }
    place(at, item);
  }

  void sink(std::size_t at) {
    const std::uint32_t item = heap_[at];
    for (;;) {
      std::size_t child = 2 * at + 1;
      if (child >= heap_.size()) break;
      if (child + 1 < heap_.size() && order_.before(heap_[child + 1], heap_[child])) ++child;
      if (!order_.before(heap_[child], item)) break;
      place(at, heap_[child]);
      at = child;
    }
    place(at, item);
  }

  Order order_;
  std::vector<std::uint32_t> heap_;
  std::vector<std::uint32_t> run_;  // sorted, with holes between its first element and its last
  std::size_t first_ = 0;           // element of the run
  std::size_t in_run_ = 0;
};

}  // namespace osiiso::scheduler
