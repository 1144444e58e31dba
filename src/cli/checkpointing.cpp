// SPDX-License-Identifier: MIT
#include "cli/checkpointing.hpp"

#include <cstddef>
#include <string>

#include "base/format.hpp"
#include "cli/result_stream.hpp"
#include "job/task_identity.hpp"
#include "model/task_name.hpp"

namespace osiiso::cli {
namespace {

using Standing = Checkpoint::Standing;

Standing standing_of(const Checkpoint& checkpoint, const job::TaskIdentity& identity,
                     const std::string& name) {
  const auto standing = checkpoint.standing(identity.name_space, identity.key(), name);
  if (standing != Standing::changed || identity.copy == 1) return standing;
  // Equal tasks without a name are called the same: what was seen may be the first of them.
  const auto first = checkpoint.standing(identity.name_space, identity.digest, name);
  return first == Standing::changed ? Standing::changed : Standing::is_new;
}

}  // namespace

void say_restored(std::size_t restored, std::size_t total, const std::string& checkpoint_path) {
  if (restored == 0) return;
  const char* const rest = restored == total ? ": nothing is left to run" : "";
  say(base::format("restored {} of {} tasks from {}{}", restored, total, checkpoint_path, rest));
}

void record_in(Checkpoint& checkpoint, job::Plan& plan) {
  const auto identities = job::identities(plan);
  for (std::size_t i = 0; i < identities.size(); ++i) {
    const auto& task = plan.batch.tasks()[i];
    if (task.finally()) continue;
    plan.batch.record(static_cast<Batch::Task>(i),
                      checkpoint.recorder<CommandOutput>(
                          identities[i].name_space, identities[i].key(), model::name_of(task)));
  }
}

std::vector<std::optional<Standing>> standings(const std::string& checkpoint_path,
                                               const job::Plan& plan) {
  const Checkpoint checkpoint(checkpoint_path, Checkpoint::Access::look);
  std::vector<std::optional<Standing>> all;
  const auto identities = job::identities(plan);
  for (std::size_t i = 0; i < identities.size(); ++i) {
    const auto& task = plan.batch.tasks()[i];
    auto& standing = all.emplace_back();
    if (task.finally()) continue;
    standing = standing_of(checkpoint, identities[i], model::name_of(task));
  }
  return all;
}

}  // namespace osiiso::cli
