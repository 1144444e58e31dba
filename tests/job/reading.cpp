// SPDX-License-Identifier: MIT
#include "job/reading.hpp"

#include <cstdlib>
#include <stdexcept>

#include "model/task_name.hpp"

namespace osiiso::test {

job::Reading read_text(std::string text, const job::Overrides& overrides,
                       const job::Selection& selection) {
  const std::vector<job::Source> sources = {{"job.yaml", std::move(text), "/jobs"}};
  return job::read(sources, overrides, selection, job::RunInputs::yes);
}

job::Plan plan_of(std::string text, const job::Overrides& overrides,
                  const job::Selection& selection) {
  job::Reading reading = read_text(std::move(text), overrides, selection);
  if (!reading.plan) throw std::runtime_error(shown(reading.diagnostics));
  return std::move(*reading.plan);
}

std::string diagnostics_of(std::string text, const job::Overrides& overrides,
                           const job::Selection& selection) {
  return shown(read_text(std::move(text), overrides, selection).diagnostics);
}

std::string shown(const std::vector<job::Diagnostic>& diagnostics) {
  std::string all;
  for (const job::Diagnostic& one : diagnostics) {
    all += (all.empty() ? "" : "\n") + job::to_string(one) + '\n';
  }
  return all;
}

std::string brief(std::string text, const job::Overrides& overrides,
                  const job::Selection& selection) {
  std::string all;
  for (const auto& one : read_text(std::move(text), overrides, selection).diagnostics) {
    if (!all.empty()) all += '\n';
    if (one.line > 0) all += std::to_string(one.line) + ':' + std::to_string(one.column) + ' ';
    all += one.text;
    if (!one.hint.empty()) all += " | " + one.hint;
  }
  return all;
}

const TaskOptions& options_of(const job::Plan& plan, std::size_t task) {
  return *plan.batch.tasks().at(task).options();
}

const Command& command_of(const job::Plan& plan, std::size_t task) {
  return *plan.batch.tasks().at(task).body.command();
}

std::vector<std::string> names_of(const job::Plan& plan) {
  std::vector<std::string> names;
  for (const Batch::TaskEntry& task : plan.batch.tasks()) {
    names.push_back(model::name_of(task));
  }
  return names;
}

std::size_t cases(std::size_t quick) {
  const char* factor = std::getenv("OSIISO_TEST_CASES");
  return factor == nullptr ? quick : quick * static_cast<std::size_t>(std::atoi(factor));
}

}  // namespace osiiso::test
