// SPDX-License-Identifier: MIT
#include "cli/ci.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "base/format.hpp"
#include "base/links.hpp"
#include "cli/variable.hpp"

namespace osiiso::cli {
namespace {

bool is_of_parent(int descriptor) {
  struct stat own {};
  struct stat parents {};
  const auto path = base::format("/proc/{}/fd/{}", ::getppid(), descriptor);
  // Some shells redirect their own stream while a command runs, so that it would be the same file.
  return ::fstat(descriptor, &own) == 0 && !S_ISREG(own.st_mode) &&
         ::stat(path.c_str(), &parents) == 0 && base::is_same_file(own, parents);
}

}  // namespace

bool in_ci() {
  const auto text = variable("CI");
  return !text.empty() && text != "0" && text != "false";
}

bool streams_are_parents() {
  static const bool are_parents = is_of_parent(STDOUT_FILENO) && is_of_parent(STDERR_FILENO);
  return are_parents;
}

}  // namespace osiiso::cli
