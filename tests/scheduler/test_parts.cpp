// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "scheduler/driver.hpp"

using namespace osiiso;
using namespace osiiso::scheduler;
using namespace osiiso::scheduler::testing;

#include <algorithm>
#include <map>
#include <numeric>
#include <random>

namespace {

struct ByKey {
  std::vector<int>* keys;
  std::vector<std::uint32_t>* slots;
  bool before(std::uint32_t a, std::uint32_t b) const { return (*keys)[a] < (*keys)[b]; }
  std::uint32_t& slot(std::uint32_t item) const { return (*slots)[item]; }
};

}  // namespace

TEST_CASE("IndexedHeap: whatever is pushed and taken out, the rest comes in order") {
  // Every order of pushing six elements, every element taken out of the middle.
  std::vector<int> keys(6);
  std::iota(keys.begin(), keys.end(), 0);
  do {
    for (std::uint32_t out = 0; out < keys.size(); ++out) {
      std::vector<std::uint32_t> slots(keys.size());
      IndexedHeap<ByKey> heap(ByKey{&keys, &slots});
      for (std::uint32_t item = 0; item < keys.size(); ++item) {
        heap.push(item);
        REQUIRE(heap.is_consistent());
      }
      heap.erase(out);
      REQUIRE(heap.is_consistent());
      for (int key = 0; key < 6; ++key) {
        if (key == keys[out]) continue;
        const std::uint32_t top = heap.top();
        REQUIRE(keys[top] == key);
        heap.erase(top);
        REQUIRE(heap.is_consistent());
      }
      REQUIRE(heap.empty());
    }
  } while (std::next_permutation(keys.begin(), keys.end()));
}

TEST_CASE("IndexedHeap: pushed in order for the most part, taken out anywhere") {
  constexpr int kItems = 2000;
  std::mt19937 random(1);
  std::vector<int> keys(kItems);
  std::iota(keys.begin(), keys.end(), 0);
  for (int swap = 0; swap < kItems / 10; ++swap) {
    std::swap(keys[random() % kItems], keys[random() % kItems]);
  }
  std::vector<std::uint32_t> slots(kItems);
  IndexedHeap<ByKey> heap(ByKey{&keys, &slots});
  std::map<int, std::uint32_t> model;
  const auto erase = [&](std::map<int, std::uint32_t>::iterator at) {
    heap.erase(at->second);
    model.erase(at);
  };
  for (std::uint32_t item = 0; item < kItems; ++item) {
    heap.push(item);
    model.emplace(keys[item], item);
    if (random() % 4 == 0) erase(model.begin());
    if (random() % 2 == 0 && !model.empty()) {
      erase(std::next(model.begin(), static_cast<std::ptrdiff_t>(random() % model.size())));
    }
    REQUIRE(heap.is_consistent());
    REQUIRE(heap.size() == model.size());
    if (!model.empty()) REQUIRE(heap.top() == model.begin()->second);
  }
  while (!model.empty()) {
    REQUIRE(heap.top() == model.begin()->second);
    erase(random() % 8 == 0 ? model.begin() : std::prev(model.end()));
    REQUIRE(heap.is_consistent());
  }
  CHECK(heap.empty());
}

TEST_CASE("Edges: a ring is left from any place and met in order") {
  for (std::uint32_t out = 0; out < 3; ++out) {
    Edges edges;
    Index chain = kNone;
    Index ring = kNone;
    for (Index task = 0; task < 3; ++task) {
      edges.link(edges.add({.dependent = task}, chain), ring);
    }
    edges.unlink(out, ring);
    std::vector<Index> met;
    while (ring != kNone) {
      met.push_back(edges.first(ring));
      edges.unlink(met.back(), ring);
    }
    std::vector<Index> expected{0, 1, 2};
    expected.erase(expected.begin() + out);
    CHECK(met == expected);
    edges.release(1);
    CHECK(edges.live() == 2);
    CHECK(edges.add({}, chain) == 1);
  }
}
