// SPDX-License-Identifier: MIT
#include "base/table.hpp"

#include <memory>
#include <string>

#include <doctest/doctest.h>

using osiiso::base::Table;

TEST_CASE("a table holds what was put in, in order, over many pieces") {
  Table<std::string> table;
  CHECK(table.size() == 0);
  for (int i = 0; i < 5000; ++i) table.push_back(std::to_string(i));
  REQUIRE(table.size() == 5000);
  table[1024] = "changed";
  const auto& same = table;
  for (std::size_t i = 0; i < same.size(); ++i) {
    CHECK(same[i] == (i == 1024 ? "changed" : std::to_string(i)));
  }
}

TEST_CASE("what is in a table stays where it is while it grows") {
  Table<std::unique_ptr<int>> table;
  table.push_back(std::make_unique<int>(7));
  const auto* const first = &table[0];
  for (int i = 1; i < 5000; ++i) table.push_back(std::make_unique<int>(i));
  CHECK(&table[0] == first);
  CHECK(*table[0] == 7);
}
