// SPDX-License-Identifier: MIT
#include "bench/table.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "bench/measure.hpp"

namespace bench {

void Table::add(const std::string& row, const std::vector<double>& figures) {
  auto found = std::ranges::find(rows_, row, &Row::name);
  if (found == rows_.end()) {
    rows_.push_back({row, std::vector<std::vector<double>>(columns_.size())});
    found = rows_.end() - 1;
  }
  for (std::size_t i = 0; i < columns_.size(); ++i) found->figures[i].push_back(figures.at(i));
}

std::string Table::to_text() const {
  std::string text = fmt::format("\n{}\n{:<36}", title_, "");
  for (const auto& column : columns_) text += fmt::format("{:>13}", column.heading);
  text += fmt::format("{:>9}\n", "noise");
  for (const auto& row : rows_) {
    text += fmt::format("{:<36}", row.name);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const double figure = median(row.figures[i]);
      text += std::isnan(figure) ? fmt::format("{:>13}", "-")
                                 : fmt::format("{:>13.{}f}", figure, columns_[i].decimals);
    }
    text += fmt::format("{:>8.1f}%\n", 100 * noise(row.figures.front()));
  }
  return text;
}

nlohmann::ordered_json Table::to_json() const {
  auto list = nlohmann::ordered_json::array();
  for (const auto& row : rows_) {
    nlohmann::ordered_json object{{"name", row.name}};
    // A figure that there is not becomes null.
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      object[columns_[i].key] = median(row.figures[i]);
    }
    object["noise"] = noise(row.figures.front());
    list.push_back(std::move(object));
  }
  return list;
}

}  // namespace bench
