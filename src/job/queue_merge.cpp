// SPDX-License-Identifier: MIT
#include "job/queue_merge.hpp"

#include "osiiso/error.hpp"

#include "base/format.hpp"

namespace osiiso::job {
namespace {

class QueueMerger {
 public:
  QueueMerger(const std::vector<RawFile>& files, Diagnostics& diagnostics)
      : files_(files), diagnostics_(diagnostics) {}

  // Sets the option to that on which the files agree, unless the command line has decided it.
  template <typename T, typename Target>
  void merge(std::string_view key, std::optional<Placed<T>> RawQueue::*option, bool is_decided,
             Target& target) {
    if (is_decided) return;
    const Placed<T>* first = nullptr;
    Place first_place;
    for (const RawFile& file : files_) {
      const std::optional<Placed<T>>& placed = file.queue.*option;
      if (!placed) continue;
      const Place place{file.file, placed->at};
      if (first == nullptr) {
        first = &*placed;
        first_place = place;
        target = placed->value;
      } else if (first->value != placed->value) {
        diagnostics_.add(place,
                         base::format("{} differs from {}", key,
                                      describe(diagnostics_.sources(), first_place, place)),
                         "files that run together have one queue");
      }
    }
  }

  Place place_of_mode() const {
    for (const RawFile& file : files_) {
      if (file.queue.mode) return {file.file, file.queue.mode->at};
    }
    return {};
  }

 private:
  const std::vector<RawFile>& files_;
  Diagnostics& diagnostics_;
};

}  // namespace

void merge_queues(const std::vector<RawFile>& files, const Overrides& overrides, Plan& plan,
                  Diagnostics& diagnostics) {
  QueueMerger merger(files, diagnostics);
  QueueOptions& queue = plan.queue;
  queue = queue_options(overrides);
  plan.kind = overrides.kind.value_or(plan.kind);
  merger.merge("kind", &RawQueue::kind, overrides.kind.has_value(), plan.kind);
  merger.merge("workers", &RawQueue::workers, overrides.workers.has_value(), queue.workers);
  merger.merge("size", &RawQueue::size, overrides.size.has_value(), queue.size);
  merger.merge("timeout", &RawQueue::timeout, overrides.timeout.has_value(), queue.timeout);
  merger.merge("mode", &RawQueue::mode, overrides.mode.has_value(), queue.mode);
  merger.merge("fail_policy", &RawQueue::fail_policy, overrides.fail_policy.has_value(),
               queue.fail_policy);
  merger.merge("on_timeout", &RawQueue::on_timeout, overrides.on_timeout.has_value(),
               queue.on_timeout);
  merger.merge("rate", &RawQueue::rate, overrides.rate.has_value(), queue.rate);
  merger.merge("burst", &RawQueue::burst, overrides.burst.has_value(), queue.burst);
  merger.merge("grace", &RawQueue::grace, overrides.grace.has_value(), queue.grace);

  if (queue.mode == Mode::infinite && !queue.timeout) {
    diagnostics.add(overrides.mode ? Place{} : merger.place_of_mode(),
                    "mode infinite needs a timeout, for nothing else would end the run");
  }
  try {
    validate(queue);
  } catch (const OptionError& error) {
    diagnostics.add({}, error.what());  // the files' own values were checked where they stand
  }
}

}  // namespace osiiso::job
