// SPDX-License-Identifier: MIT
#include "job/yaml_events.hpp"

#include <algorithm>

#include "base/format.hpp"

namespace osiiso::job {
namespace {

using Kind = Event::Kind;

constexpr std::size_t kDeepest = 64;
constexpr std::size_t kMostRepeatedNodes = 1'000'000;
constexpr std::size_t kMostRepeatedBytes = std::size_t{64} << 20;
constexpr std::size_t kFewKeys = 16;

// One past the last event of the node that begins at `begin`.
std::size_t end_of_node(const std::vector<Event>& events, std::size_t begin) {
  NodeDepth depth;
  std::size_t at = begin;
  while (!depth.take(events[at].kind)) ++at;
  return at + 1;
}

}  // namespace

std::optional<std::uint32_t> Merger::Keys::insert(const std::string& name, std::uint32_t at) {
  if (many_.empty()) {
    const auto found = std::ranges::find(few_, name, &std::pair<std::string, std::uint32_t>::first);
    if (found != few_.end()) return found->second;
    if (few_.size() < kFewKeys) {
      few_.emplace_back(name, at);
      return std::nullopt;
    }
    many_.insert(few_.begin(), few_.end());
  }
  const auto [entry, is_new] = many_.emplace(name, at);
  return is_new ? std::nullopt : std::optional(entry->second);
}

void Merger::on(Event&& event) {
  if (skipped_nodes_ > 0) {
    if (open_.size() + skipped_depth_.value() >= kDeepest && begins_node(event.kind)) {
      throw Refusal{event.at, "nested deeper than 64 levels"};
    }
    if (skipped_depth_.take(event.kind) && --skipped_nodes_ == 0) open_.back().expects_key = true;
    return;
  }
  if (ends_node(event.kind)) {
    end_node(std::move(event));
  } else if (!open_.empty() && open_.back().is_map && open_.back().expects_key) {
    take_key(std::move(event));
  } else {
    take_value(std::move(event));
  }
}

void Merger::take_key(Event&& event) {
  Open& open = open_.back();
  open.expects_key = false;
  if (event.kind != Kind::scalar) {
    const bool is_whole = event.kind == Kind::null;
    diagnostics_.add({file_, event.at}, "a key must be a text",
                     is_whole ? "" : "a text that begins with { or [ must be in quotes");
    skip(is_whole ? 1 : 2);
    if (!is_whole) on(std::move(event));
    return;
  }
  if (const auto earlier = open.keys.insert(event.text, event.at)) {
    const Place place{file_, event.at};
    diagnostics_.add(place,
                     base::format("duplicate key {}, first on {}", shown(event.text),
                                  describe(diagnostics_.sources(), {file_, *earlier}, place)));
    skip(1);
    return;
  }
  if (event.is_plain && event.text == "<<") {
    open.merges_next = true;
    return;
  }
  event.kind = Kind::key;
  emit(std::move(event));
}

void Merger::take_value(Event&& event) {
  if (!open_.empty() && open_.back().merges_next) {
    open_.back().merges_next = false;
    captures_.push_back({open_.size(), {}});
  }
  const bool begins = begins_node(event.kind);
  const bool is_map = event.kind == Kind::map_begin;
  if (begins && open_.size() >= kDeepest) {
    throw Refusal{event.at, "nested deeper than 64 levels"};
  }
  emit(std::move(event));
  if (begins) {
    open_.emplace_back();
    open_.back().is_map = is_map;
    open_.back().expects_key = is_map;
  } else {
    after_node();
  }
}

void Merger::end_node(Event&& event) {
  if (open_.back().is_map) emit_merged(open_.back());
  open_.pop_back();
  emit(std::move(event));
  after_node();
}

void Merger::after_node() {
  if (!captures_.empty() && captures_.back().depth == open_.size()) {
    open_.back().merged.push_back(std::move(captures_.back().events));
    captures_.pop_back();
  }
  if (!open_.empty() && open_.back().is_map) open_.back().expects_key = true;
}

void Merger::emit(Event&& event) {
  if (captures_.empty()) {
    sink_.on(std::move(event));
  } else {
    captures_.back().events.push_back(std::move(event));
  }
}

void Merger::emit_merged(Open& open) {
  for (std::vector<Event>& events : open.merged) {
    const bool is_list = events.front().kind == Kind::list_begin;
    std::size_t at = is_list ? 1 : 0;
    const std::size_t end = is_list ? events.size() - 1 : events.size();
    for (; at < end; at = end_of_node(events, at)) {
      if (events[at].kind == Kind::map_begin) {
        // The events of the entries are moved out, which leaves their kinds as they are.
        merge_mapping(events, at, open.keys);
      } else {
        diagnostics_.add({file_, events[at].at},
                         "a merge key (<<) takes a mapping or a list of mappings");
      }
    }
  }
}

void Merger::merge_mapping(std::vector<Event>& events, std::size_t begin, Keys& keys) {
  for (std::size_t at = begin + 1; events[at].kind == Kind::key;) {
    const std::size_t value = at + 1;
    const std::size_t end = end_of_node(events, value);
    if (!keys.insert(events[at].text, events[at].at)) {
      for (std::size_t i = at; i < end; ++i) emit(std::move(events[i]));
    }
    at = end;
  }
}

void AliasExpander::on(Event&& event, std::uint32_t anchor) {
  const Kind kind = event.kind;
  if (anchor != 0) recordings_.push_back({anchor, log_.size(), depth_.value()});
  if (!recordings_.empty()) log_.push_back(event);
  if (kind == Kind::alias) {
    repeat(event, event.at);
  } else {
    next_.on(std::move(event));
  }
  depth_.take(kind);
  while (!begins_node(kind) && !recordings_.empty() && recordings_.back().depth == depth_.value()) {
    recorded_[recordings_.back().anchor] = {recordings_.back().begin, log_.size()};
    recordings_.pop_back();
  }
}

// Recursion is bounded: each level down is inside a list or mapping of its own, and the next stage
// refuses more than 64 of these.
void AliasExpander::repeat(const Event& alias, std::uint32_t shown_at) {
  const auto found = recorded_.find(alias.anchor);
  if (found == recorded_.end()) throw Refusal{alias.at, "the alias is inside what it stands for"};
  const Range range = found->second;
  for (std::size_t i = range.begin; i < range.end; ++i) {
    if (log_[i].kind == Kind::alias) {
      const Event inner = log_[i];
      repeat(inner, shown_at);
      continue;
    }
    repeated_nodes_ += ends_node(log_[i].kind) ? 0 : 1;
    repeated_bytes_ += log_[i].text.size();
    if (repeated_nodes_ > kMostRepeatedNodes) {
      throw Refusal{shown_at, "the aliases expand to more than 1,000,000 nodes"};
    }
    if (repeated_bytes_ > kMostRepeatedBytes) {
      throw Refusal{shown_at, "the aliases expand to more than 64 MiB of text"};
    }
    next_.on(Event(log_[i]));
  }
}

}  // namespace osiiso::job
