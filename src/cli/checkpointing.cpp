// SPDX-License-Identifier: MIT
#include "cli/checkpointing.hpp"

#include <cstddef>
#include <utility>

#include "job/task_identity.hpp"
#include "model/task_name.hpp"

namespace osiiso::cli {

void record_in(Checkpoint& checkpoint, job::Plan& plan) {
  auto identities = job::identities(plan);
  for (std::size_t i = 0; i < identities.size(); ++i) {
    const auto& task = plan.batch.tasks()[i];
    if (task.finally) continue;
    auto& [name_space, key] = identities[i];
    plan.batch.record(static_cast<Batch::Task>(i),
                      checkpoint.recorder<CommandOutput>(std::move(name_space), std::move(key),
                                                         model::name_of(task)));
  }
}

std::vector<std::optional<Checkpoint::Standing>> standings(const std::string& checkpoint_path,
                                                           const job::Plan& plan) {
  const Checkpoint checkpoint(checkpoint_path, Checkpoint::Access::look);
  std::vector<std::optional<Checkpoint::Standing>> all;
  const auto identities = job::identities(plan);
  for (std::size_t i = 0; i < identities.size(); ++i) {
    const auto& task = plan.batch.tasks()[i];
    auto& standing = all.emplace_back();
    if (task.finally) continue;
    standing =
        checkpoint.standing(identities[i].name_space, identities[i].key, model::name_of(task));
  }
  return all;
}

}  // namespace osiiso::cli
