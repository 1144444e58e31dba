// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "job/yaml_events.hpp"

namespace osiiso::job {

/// One value of the file and what is in it: an option, a task, an input. Never the whole file,
/// whose long lists are taken element by element.
struct Value {
  enum class Kind : std::uint8_t { null, scalar, list, mapping };

  Kind kind = Kind::null;
  bool is_plain = false;
  std::uint32_t at = 0;
  std::string text;          ///< of a scalar; of a null as it is written, or empty
  std::vector<Value> items;  ///< elements of a list, values of a mapping
  std::string key;           ///< of a value in a mapping
  std::uint32_t key_at = 0;

  bool is_text() const { return kind == Kind::scalar; }
  /// Nothing stands where the value should be, which is more likely forgotten than meant.
  bool is_missing() const { return kind == Kind::null && text.empty(); }
  /// A scalar's text as it is written; a null, too, is a word that somebody wrote.
  bool has_words() const { return kind == Kind::scalar || !text.empty(); }
};

/// `a list`, `a mapping`, `the text 'abc'`: what stands where something else should.
std::string describe(const Value& value);

/// Puts the events of one node together. After `take` has returned true, `release` gives it.
class ValueBuilder {
 public:
  /// True with the event that ends the node.
  bool take(Event&& event);
  Value release();

 private:
  Value& next_place();

  Value root_;
  std::vector<Value*> open_;  // stable: a parent gets no further child while one is open
  std::string key_;
  std::uint32_t key_at_ = 0;
};

}  // namespace osiiso::job
