// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "job/plan.hpp"

namespace osiiso::job {

/// By what a checkpoint knows a task.
struct TaskIdentity {
  std::string name_space;  ///< the job's name and the group's
  std::string digest;
  int copy = 1;  ///< counts the equal tasks of a group

  std::string key() const;
};

/// Of each task of the plan, in its order. The digest (SHA-256) is of what makes the task
/// what it is: its words, its shell, the values of its inputs, its declared environment, cwd and
/// stdin as written, ok_codes. Neither name, options nor position are in it; equal tasks of a group
/// are told apart by their count. A digest, for declared values may be secrets and long; a
/// cryptographic one, for two tasks must never have the same.
std::vector<TaskIdentity> identities(const Plan& plan);

}  // namespace osiiso::job
