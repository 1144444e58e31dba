// SPDX-License-Identifier: MIT
#include "process/child_set.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace osiiso::process {
namespace {

// An event names its child by a number that is never used again: one that comes late, for a child
// that has ended meanwhile, finds nobody.
constexpr unsigned kWhichBits = 2;

// So many may have two descriptors more each, and save the wake-ups for the ends of their streams.
constexpr std::size_t kFew = 64;

// Each takes some twenty kilobytes, and a turn of a processor: more at a time do not run sooner.
constexpr std::size_t kMostStarting = 16;

int descriptor_of(const ChildRun& run, unsigned which) {
  const std::array<int, 3> all{run.exit_descriptor(), run.stdout_descriptor(),
                               run.stderr_descriptor()};
  return all[which];
}

}  // namespace

ChildSet::ChildSet() : events_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!events_) throw SystemError("cannot watch commands (epoll_create1)", errno);
}

ChildSet::~ChildSet() {
  const base::Instant now = base::now();
  for (auto& [id, member] : members_) member.run->abandon(now);
}

ChildSet::Id ChildSet::add(std::unique_ptr<ChildRun> run, Ended ended) {
  const Id id = next_++;
  Member member{std::move(run), std::move(ended)};
  if (members_.size() >= kFew) member.run->close_write_ends();
  watch(id, member);
  starting_.push_back(id);
  members_.emplace(id, std::move(member));
  complete_starts(kMostStarting);
  return id;
}

/// The end of one that cannot be started is found, and reported, as that of any other.
void ChildSet::complete_starts(std::size_t most_left) {
  std::erase_if(starting_, [this](Id id) {
    const auto place = members_.find(id);
    if (place == members_.end()) return true;
    if (place->second.run->is_starting()) return false;
    place->second.run->complete_start();
    return true;
  });
  for (; starting_.size() > most_left; starting_.pop_front()) {
    members_.at(starting_.front()).run->complete_start();
  }
}

void ChildSet::stop(Id id, const base::StopRequest& request, base::Instant now) {
  const auto place = members_.find(id);
  if (place == members_.end()) return;
  unwatch(place->second);
  let(place, [&](ChildRun& run) { run.stop(request, now); });
}

std::optional<base::Instant> ChildSet::deadline() const {
  if (members_.empty()) return {};
  if (deadlines_.empty()) return care_.deadline();
  return base::earlier(deadlines_.begin()->first, care_.deadline());
}

void ChildSet::step(base::Instant now) {
  std::array<epoll_event, 64> events;
  const int count = ::epoll_wait(events_.get(), events.data(), events.size(), 0);
  complete_starts(kMostStarting);
  // All that has happened lies before this instant: one look at the processes will do for all.
  now = std::max(now, base::now());
  care_.on_deadline(now);
  for (int i = 0; i < count; ++i) {
    const auto place = members_.find(events[static_cast<std::size_t>(i)].data.u64 >> kWhichBits);
    if (place == members_.end()) continue;
    const auto which = events[static_cast<std::size_t>(i)].data.u64 & ((1U << kWhichBits) - 1);
    Member& member = place->second;
    const int descriptor = member.watched[which];
    member.has_told[which] = true;
    if (which == kExit) unwatch(member);
    let(place, [&](ChildRun& run) { run.on_readable(descriptor, now); });
  }
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const auto place = members_.find(deadlines_.begin()->second);
    unwatch(place->second);
    let(place, [&](ChildRun& run) { run.on_deadline(now); });
  }
}

/// Lets the child do something, then waits for what it waits for now, or reports its end.
template <typename Act>
void ChildSet::let(Place place, Act act) {
  const Id id = place->first;
  Member& member = place->second;
  if (member.deadline) deadlines_.erase({*member.deadline, id});
  act(*member.run);
  if (!member.run->done()) {
    member.deadline = member.run->deadline();
    if (member.deadline) deadlines_.emplace(*member.deadline, id);
    return watch(id, member);
  }
  unwatch(member);  // one that could not be started has said so by any of its descriptors
  const Member ended = std::move(member);
  members_.erase(place);
  ended.ended(ended.run->take_result());
}

void ChildSet::watch(Id id, Member& member) {
  for (unsigned which = 0; which < kWatched; ++which) watch(id, member, which);
}

// Each tells once, until it is asked to again: what has told may be closed without being taken out,
// even while a child that has not executed, or a fork() of the host's, has a copy of it.
void ChildSet::watch(Id id, Member& member, unsigned which) {
  const int descriptor = descriptor_of(*member.run, which);
  const bool is_known = member.watched[which] == descriptor;
  if (descriptor < 0 || (is_known && !member.has_told[which])) return;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLONESHOT;
  event.data.u64 = (id << kWhichBits) | which;
  const int how = is_known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  if (::epoll_ctl(events_.get(), how, descriptor, &event) != 0) {
    throw SystemError("cannot watch a command (epoll_ctl)", errno);
  }
  member.watched[which] = descriptor;
  member.has_told[which] = false;
}

/// Before what is watched may be closed.
void ChildSet::unwatch(Member& member) const {
  for (unsigned which = 0; which < kWatched; ++which) {
    if (member.has_told[which]) continue;
    const int descriptor = std::exchange(member.watched[which], -1);
    if (descriptor >= 0) ::epoll_ctl(events_.get(), EPOLL_CTL_DEL, descriptor, nullptr);
  }
}

}  // namespace osiiso::process
