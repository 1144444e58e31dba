// SPDX-License-Identifier: MIT
#include "job/value.hpp"

#include <utility>

namespace osiiso::job {

std::string describe(const Value& value) {
  switch (value.kind) {
    case Value::Kind::null:
      return value.text.empty() ? "nothing" : value.text;
    case Value::Kind::scalar:
      return value.is_plain ? shown(value.text) : "the text " + shown(value.text);
    case Value::Kind::list:
      return "a list";
    case Value::Kind::mapping:
      return "a mapping";
  }
  return {};
}

bool ValueBuilder::take(Event&& event) {
  switch (event.kind) {
    case Event::Kind::key:
      key_ = std::move(event.text);
      key_at_ = event.at;
      return false;
    case Event::Kind::list_end:
    case Event::Kind::map_end:
      open_.pop_back();
      return open_.empty();
    default:
      break;
  }
  Value& value = next_place();
  value.at = event.at;
  value.is_plain = event.is_plain;
  value.text = std::move(event.text);
  switch (event.kind) {
    case Event::Kind::list_begin:
      value.kind = Value::Kind::list;
      open_.push_back(&value);
      return false;
    case Event::Kind::map_begin:
      value.kind = Value::Kind::mapping;
      open_.push_back(&value);
      return false;
    case Event::Kind::scalar:
      value.kind = Value::Kind::scalar;
      break;
    default:
      value.kind = Value::Kind::null;
      break;
  }
  return open_.empty();
}

Value& ValueBuilder::next_place() {
  if (open_.empty()) return root_;
  Value& parent = *open_.back();
  Value& made = parent.items.emplace_back();
  if (parent.kind == Value::Kind::mapping) {
    made.key = std::exchange(key_, {});
    made.key_at = key_at_;
  }
  return made;
}

Value ValueBuilder::release() {
  return std::exchange(root_, {});
}

}  // namespace osiiso::job
