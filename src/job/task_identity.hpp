// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "osiiso/command.hpp"

#include "job/plan.hpp"

namespace osiiso::job {

/// By what a checkpoint knows a task.
struct TaskIdentity {
  std::string name_space;  ///< the job's name and the group's
  std::string digest;
  int copy = 1;  ///< counts the equal tasks of a group

  std::string key() const;
};

/// Makes the identities of a run's tasks, in their order. The digest (SHA-256) is of what makes the
/// task what it is: its words, its shell, the values of its inputs, its declared environment, cwd
/// and stdin as written, ok_codes. Neither name, options nor position are in it; equal tasks of a
/// group are told apart by their count. A digest, for declared values may be secrets and long; a
/// cryptographic one, for two tasks must never have the same.
class IdentityMaker {
 public:
  /// `folders`: what relative paths start from.
  IdentityMaker(std::string run_name, std::vector<std::string> folders);

  /// `group_id`: empty where it is in none.
  TaskIdentity make(const std::string& group_id, const Command& command);

 private:
  // Of each namespace, how often a digest has been there, by its first half: two that share it
  // would only be counted as one.
  using Counts = std::unordered_map<std::uint64_t, int>;

  std::string name_space(const std::string& group_id) const;
  std::string digest(const Command& command) const;
  std::string as_written(const std::string& path) const;

  std::string run_name_;
  std::vector<std::string> folders_;
  std::map<std::string, Counts> counts_;
};

/// Of each task of the plan, in its order.
std::vector<TaskIdentity> identities(const Plan& plan);

}  // namespace osiiso::job
