// SPDX-License-Identifier: MIT
#include "job/needs.hpp"

#include <algorithm>
#include <unordered_map>

#include "base/format.hpp"
#include "model/task_name.hpp"

namespace osiiso::job {
namespace {

class NeedResolver {
 public:
  NeedResolver(PlacedBatch& placed, Diagnostics& diagnostics)
      : placed_(placed), diagnostics_(diagnostics) {}

  void index_names(std::span<const NamedNeeds> all);
  void resolve(const NamedNeeds& named);
  void check_cycle();

 private:
  // Who waits for whom, in names, and where that is written.
  struct Written {
    std::string from;
    std::string to;
    Place place;
  };

  const std::vector<Batch::TaskEntry>& tasks() const { return placed_.batch.tasks(); }
  Place place_of(const Batch::Need& need) const {
    return need.is_group ? placed_.groups[need.index] : placed_.tasks[need.index];
  }
  std::optional<Batch::Need> find(const RawNeed& raw, std::uint32_t file);
  void refuse_unknown(const RawNeed& raw, Place place);
  void refuse_ambiguous(const RawNeed& raw, Place place, std::span<const Batch::Need> found);
  void add_default_needs(const NamedNeeds& named);
  template <typename Of>
  void add(Of of, const Batch::Need& need);

  PlacedBatch& placed_;
  Diagnostics& diagnostics_;
  std::unordered_map<std::string, std::vector<Batch::Need>> found_;  // of the names that are needed
  std::vector<Written> written_;
};

void NeedResolver::index_names(std::span<const NamedNeeds> all) {
  for (const NamedNeeds& named : all) {
    for (const RawNeed& need : named.needs) found_[need.name];
  }
  const auto& groups = placed_.batch.groups();
  for (std::uint32_t i = 0; i < groups.size(); ++i) {
    const auto wanted = found_.find(groups[i].options.group_id);
    if (wanted != found_.end()) wanted->second.push_back({true, i});
  }
  for (std::uint32_t i = 0; i < tasks().size(); ++i) {
    const auto wanted = found_.find(model::name_of(tasks()[i]));
    if (wanted != found_.end()) wanted->second.push_back({false, i});
  }
}

std::optional<Batch::Need> NeedResolver::find(const RawNeed& raw, std::uint32_t file) {
  const Place place{file, raw.at};
  const std::vector<Batch::Need>& everywhere = found_[raw.name];
  std::vector<Batch::Need> candidates;
  std::ranges::copy_if(everywhere, std::back_inserter(candidates),
                       [&](const Batch::Need& need) { return place_of(need).file == file; });
  if (candidates.empty()) candidates = everywhere;
  if (candidates.empty()) {
    refuse_unknown(raw, place);
    return std::nullopt;
  }
  if (candidates.size() > 1) {
    refuse_ambiguous(raw, place, candidates);
    return std::nullopt;
  }
  const Batch::Need& need = candidates.front();
  if (!need.is_group && tasks()[need.index].finally()) {
    diagnostics_.add(place,
                     base::format("{} is a finally task, which nothing can need", shown(raw.name)));
    return std::nullopt;
  }
  return need;
}

void NeedResolver::refuse_unknown(const RawNeed& raw, Place place) {
  // A misspelt name is found among those that somebody wrote down, and these are not many.
  constexpr std::size_t kMostCandidates = 10'000;
  std::vector<std::string_view> names;
  for (const Batch::GroupEntry& group : placed_.batch.groups()) {
    names.push_back(group.options.group_id);
  }
  for (const Batch::TaskEntry& task : tasks()) {
    if (names.size() > kMostCandidates) break;
    if (!task.name().empty() && !task.finally()) names.push_back(task.name());
  }
  diagnostics_.add(place, base::format("no task or group is called {}", shown(raw.name)),
                   did_you_mean(raw.name, names));
}

void NeedResolver::refuse_ambiguous(const RawNeed& raw, Place place,
                                    std::span<const Batch::Need> found) {
  constexpr std::size_t kMostPlaces = 4;
  std::vector<std::string> places;
  for (const Batch::Need& need : found.first(std::min(found.size(), kMostPlaces))) {
    places.push_back(base::format("a {} on {}", need.is_group ? "group" : "task",
                                  describe(diagnostics_.sources(), place_of(need), place)));
  }
  if (found.size() > kMostPlaces) {
    places.push_back(base::format("{} more", found.size() - kMostPlaces));
  }
  const std::vector<std::string_view> views(places.begin(), places.end());
  diagnostics_.add(place, base::format("{} can mean {}", shown(raw.name), listed(views, "and")),
                   "what is needed must have a name of its own");
}

template <typename Of>
void NeedResolver::add(Of of, const Batch::Need& need) {
  if (need.is_group) {
    placed_.batch.need(of, static_cast<Batch::Group>(need.index));
  } else {
    placed_.batch.need(of, static_cast<Batch::Task>(need.index));
  }
}

void NeedResolver::resolve(const NamedNeeds& named) {
  if (named.of == NamedNeeds::Of::defaults) {
    add_default_needs(named);
    return;
  }
  const bool is_task = named.of == NamedNeeds::Of::task;
  const std::uint32_t file = (is_task ? placed_.tasks : placed_.groups)[named.index].file;
  if (is_task && tasks()[named.index].finally()) {
    diagnostics_.add({file, named.needs.front().at},
                     "a finally task has no needs: it runs after all others, however they went");
    return;
  }
  for (const RawNeed& raw : named.needs) {
    const auto need = find(raw, file);
    if (!need) continue;
    if (is_task) {
      add(static_cast<Batch::Task>(named.index), *need);
      written_.push_back({model::name_of(tasks()[named.index]), raw.name, {file, raw.at}});
    } else {
      add(static_cast<Batch::Group>(named.index), *need);
      written_.push_back(
          {placed_.batch.groups()[named.index].options.group_id, raw.name, {file, raw.at}});
    }
  }
}

void NeedResolver::add_default_needs(const NamedNeeds& named) {
  const std::uint32_t file = named.index;
  std::vector<Batch::Need> needs;
  for (const RawNeed& raw : named.needs) {
    if (const auto need = find(raw, file)) needs.push_back(*need);
  }
  const auto is_needed = [&](bool is_group, std::uint32_t index) {
    return std::ranges::any_of(needs, [&](const Batch::Need& need) {
      return need.is_group == is_group && need.index == index;
    });
  };
  for (std::uint32_t i = 0; i < tasks().size(); ++i) {
    const Batch::TaskEntry& task = tasks()[i];
    if (placed_.tasks[i].file != file || task.finally() || is_needed(false, i)) continue;
    if (task.group() && is_needed(true, static_cast<std::uint32_t>(*task.group()))) continue;
    for (const Batch::Need& need : needs) add(static_cast<Batch::Task>(i), need);
  }
  for (const RawNeed& raw : named.needs) written_.push_back({"", raw.name, {file, raw.at}});
}

void NeedResolver::check_cycle() {
  const std::vector<std::string> cycle = placed_.batch.find_cycle();
  if (cycle.empty()) return;
  constexpr std::size_t kMostNames = 20;
  std::string path;
  for (std::size_t i = 0; i < cycle.size(); ++i) {
    if (cycle.size() > kMostNames && i == kMostNames / 2) {
      path += " -> …";
      i = cycle.size() - kMostNames / 2;
    }
    path += base::format("{}{}", i > 0 ? " -> " : "", cycle[i]);
  }
  const auto is_step = [&](const Written& need) {
    for (std::size_t i = 0; i + 1 < cycle.size(); ++i) {
      if (cycle[i] == need.from && cycle[i + 1] == need.to) return true;
    }
    return false;
  };
  const auto leads_into = [&](const Written& need) {
    return std::ranges::find(cycle, need.to) != cycle.end();
  };
  auto shown_need = std::ranges::find_if(written_, is_step);
  if (shown_need == written_.end()) shown_need = std::ranges::find_if(written_, leads_into);
  const Place place = shown_need == written_.end() ? Place{} : shown_need->place;
  diagnostics_.add(place, base::format("needs form a cycle: {}", path));
}

}  // namespace

void resolve_needs(std::span<const NamedNeeds> all, PlacedBatch& placed, Diagnostics& diagnostics) {
  if (all.empty()) return;
  NeedResolver resolver(placed, diagnostics);
  resolver.index_names(all);
  for (const NamedNeeds& named : all) resolver.resolve(named);
  resolver.check_cycle();
}

}  // namespace osiiso::job
