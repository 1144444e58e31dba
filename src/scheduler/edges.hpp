// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "scheduler/records.hpp"

namespace osiiso::scheduler {

/// Something that a task waits for before it may become ready. It belongs to that task and lives
/// from `need` until the task waits no more.
struct Edge {
  enum class Kind : std::uint8_t {
    task,      // the success of a task
    group,     // the success of a group
    body,      // the end of a group's members but the finally tasks
    run_body,  // the end of all tasks but the finally tasks of the run
  };
  enum class Fate : std::uint8_t { open, met, failed, cancelled };

  Index dependent = kNone;
  Index target = kNone;
  Index previous = kNone;  // open: in the ring of its target
  Index next = kNone;
  Index sibling = kNone;  // next edge of the dependent, or next free edge
  Kind kind = Kind::task;
  Fate fate = Fate::open;
};

/// All edges. A ring is named by its last edge, kNone when empty; edges are met in the order in
/// which they were added, and each can leave in O(1).
class Edges {
 public:
  Edge& operator[](Index edge) { return edges_[edge]; }
  const Edge& operator[](Index edge) const { return edges_[edge]; }

  /// In no ring yet, and first in `chain`, the edges of its dependent.
  Index add(Edge edge, Index& chain);
  void link(Index edge, Index& ring);
  void unlink(Index edge, Index& ring);
  Index first(Index ring) const { return edges_[ring].next; }
  /// In no ring and no chain any more.
  void release(Index edge);

  std::size_t live() const { return live_; }

 private:
  std::vector<Edge> edges_;
  Index free_ = kNone;
  std::size_t live_ = 0;
};

}  // namespace osiiso::scheduler
