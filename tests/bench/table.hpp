// SPDX-License-Identifier: MIT
#pragma once

#include <limits>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace bench {

struct Column {
  std::string key;      ///< in JSON
  std::string heading;  ///< in the text, with the unit
  int decimals = 2;
};

/// What a round has no figure for.
inline constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

/// Figures of several rounds by row and column. What it shows are the medians and, as noise, that
/// of the first column.
class Table {
 public:
  Table(std::string title, std::vector<Column> columns)
      : title_(std::move(title)), columns_(std::move(columns)) {}

  /// One round's figures, as many as there are columns. Rows stand in the order of their first.
  void add(const std::string& row, const std::vector<double>& figures);

  std::string to_text() const;
  nlohmann::ordered_json to_json() const;

 private:
  struct Row {
    std::string name;
    std::vector<std::vector<double>> figures;  // of each column, by round
  };

  std::string title_;
  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

}  // namespace bench
