// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "job/diagnostics.hpp"

namespace osiiso::job {

/// One event of a YAML document.
struct Event {
  enum class Kind : std::uint8_t {
    null,    ///< `text` as it is written, empty where nothing is written at all
    scalar,  ///< `text` after quotes and escapes
    key,     ///< of a mapping; its value follows
    list_begin,
    list_end,
    map_begin,
    map_end,
    alias,  ///< only in what is recorded
  };

  Kind kind = Kind::null;
  bool is_plain = false;     ///< a scalar without quotes, which may mean a number or boolean
  std::uint32_t at = 0;      ///< offset in the file
  std::uint32_t anchor = 0;  ///< of an alias
  std::string text;
};

inline bool begins_node(Event::Kind kind) {
  return kind == Event::Kind::list_begin || kind == Event::Kind::map_begin;
}
inline bool ends_node(Event::Kind kind) {
  return kind == Event::Kind::list_end || kind == Event::Kind::map_end;
}

/// Takes the events of a document: without aliases and merge keys, every mapping's keys once.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void on(Event&& event) = 0;
};

/// The reading of a file cannot go on.
struct Refusal {
  std::uint32_t at;
  std::string text;
};

/// Counts how many nodes deep the events are, and how many nodes have ended.
class NodeDepth {
 public:
  /// True where this event ends a node that began at depth 0.
  bool take(Event::Kind kind) {
    if (begins_node(kind)) ++depth_;
    if (ends_node(kind)) --depth_;
    return depth_ == 0 && kind != Event::Kind::key;
  }
  std::size_t value() const { return depth_; }

 private:
  std::size_t depth_ = 0;
};

/// Turns mappings as they are written into what they mean: finds the keys, refuses a second one of
/// the same name, and resolves merge keys (`<<`), whose entries come at the mapping's end.
class Merger {
 public:
  Merger(EventSink& sink, Diagnostics& diagnostics, std::uint32_t file)
      : sink_(sink), diagnostics_(diagnostics), file_(file) {}

  /// Takes nodes, keys among them as scalars. Throws `Refusal` above 64 levels.
  void on(Event&& event);

 private:
  // The keys of a mapping that is still open. Most have a handful.
  class Keys {
   public:
    /// The place of the earlier key of that name, or none where it is a new one.
    std::optional<std::uint32_t> insert(const std::string& name, std::uint32_t at);

   private:
    std::vector<std::pair<std::string, std::uint32_t>> few_;
    std::unordered_map<std::string, std::uint32_t> many_;
  };
  struct Open {
    bool is_map = false;
    bool expects_key = false;
    bool merges_next = false;
    Keys keys;
    std::vector<std::vector<Event>> merged;  // the values of its merge keys
  };
  struct Capture {
    std::size_t depth;  // of open nodes when it began
    std::vector<Event> events;
  };

  void take_key(Event&& event);
  void take_value(Event&& event);
  void end_node(Event&& event);
  void after_node();
  void emit(Event&& event);
  void emit_merged(Open& open);
  void merge_mapping(std::vector<Event>& events, std::size_t begin, Keys& keys);
  void skip(std::size_t nodes) { skipped_nodes_ = nodes; }

  EventSink& sink_;
  Diagnostics& diagnostics_;
  std::uint32_t file_;
  std::vector<Open> open_;
  std::vector<Capture> captures_;
  std::size_t skipped_nodes_ = 0;
  NodeDepth skipped_depth_;
};

/// Records anchored nodes and repeats them where an alias stands.
class AliasExpander {
 public:
  AliasExpander(Merger& next) : next_(next) {}

  /// `anchor` is 0 where the node has none. Throws `Refusal` for an alias inside its own node and
  /// where aliases make too much of a file.
  void on(Event&& event, std::uint32_t anchor);

 private:
  struct Range {
    std::size_t begin;
    std::size_t end;
  };
  struct Recording {
    std::uint32_t anchor;
    std::size_t begin;
    std::size_t depth;
  };

  void repeat(const Event& alias, std::uint32_t shown_at);

  Merger& next_;
  NodeDepth depth_;
  std::vector<Event> log_;  // of anchored nodes, aliases in them not expanded
  std::vector<Recording> recordings_;
  std::unordered_map<std::uint32_t, Range> recorded_;
  std::size_t repeated_nodes_ = 0;
  std::size_t repeated_bytes_ = 0;
};

}  // namespace osiiso::job
