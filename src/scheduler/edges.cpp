// SPDX-License-Identifier: MIT
#include "scheduler/edges.hpp"

#include <cassert>

namespace osiiso::scheduler {

Index Edges::add(Edge edge, Index& chain) {
  Index made = free_;
  if (made != kNone) {
    free_ = edges_[made].sibling;
  } else {
    made = static_cast<Index>(edges_.size());
    edges_.emplace_back();
  }
  edge.sibling = chain;
  edges_[made] = edge;
  chain = made;
  ++live_;
  return made;
}

void Edges::link(Index edge, Index& ring) {
  const Index last = ring == kNone ? edge : ring;
  const Index first = ring == kNone ? edge : edges_[ring].next;
  edges_[edge].previous = last;
  edges_[edge].next = first;
  edges_[last].next = edge;
  edges_[first].previous = edge;
  ring = edge;
}

void Edges::unlink(Index edge, Index& ring) {
  assert(ring != kNone);
  const Index previous = edges_[edge].previous;
  const Index next = edges_[edge].next;
  edges_[previous].next = next;
  edges_[next].previous = previous;
  if (ring == edge) ring = previous == edge ? kNone : previous;
  edges_[edge].previous = edges_[edge].next = kNone;
}

void Edges::release(Index edge) {
  assert(live_ > 0);
  edges_[edge].sibling = free_;
  free_ = edge;
  --live_;
}

}  // namespace osiiso::scheduler
