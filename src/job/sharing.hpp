// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "osiiso/batch.hpp"
#include "osiiso/command.hpp"

#include "job/option_fields.hpp"

namespace osiiso::job {

/// The options and settings of some tasks; equal ones are one object.
struct SharedEffective {
  Batch::SharedOptions options;
  Command::Settings settings;
};

/// Makes equal values one object, since most of many tasks differ in nothing but their command.
class Sharing {
 public:
  SharedEffective share(Effective effective);

 private:
  std::unordered_map<std::string, Batch::SharedOptions> options_;
  std::unordered_map<std::string, Command::Settings> settings_;
};

}  // namespace osiiso::job
