// SPDX-License-Identifier: MIT
#include "queue/uniform_batch.hpp"

#include <memory>
#include <optional>
#include <utility>

namespace osiiso::queue {
namespace {

void add_all(Batch& batch, TaskOptions options, std::vector<TaskBody> bodies,
             std::optional<Batch::Group> group) {
  validate(options);
  const auto shared = std::make_shared<const TaskOptions>(std::move(options));
  for (auto& body : bodies) batch.add(shared->name, shared, std::move(body), group);
}

}  // namespace

Batch uniform_batch(TaskOptions options, std::vector<TaskBody> bodies) {
  Batch batch;
  add_all(batch, std::move(options), std::move(bodies), {});
  return batch;
}

Batch uniform_group(TaskOptions options, std::vector<TaskBody> bodies) {
  Batch batch;
  const auto group = batch.add_group({.group_id = options.group_id});
  add_all(batch, std::move(options), std::move(bodies), group);
  return batch;
}

}  // namespace osiiso::queue
