// SPDX-License-Identifier: MIT
#pragma once

#include <stdexcept>
#include <string>

namespace osiiso {

/// Base of every exception that osiiso throws. What a task of yours throws is passed on as it is.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An option has a value that it cannot have; the text names the rule (`retries must be >= 0`).
class OptionError : public Error {
 public:
  using Error::Error;
};

/// The queue takes no task now: it is closed, shutting down, or a run is being halted.
class ClosedError : public Error {
 public:
  using Error::Error;
};

/// An `AsyncQueue` has as many outstanding tasks as its `size` allows; the text says how many.
class QueueFullError : public Error {
 public:
  using Error::Error;
};

/// A call came at the wrong time: `run()` during a run, a result that is not ready yet.
class StateError : public Error {
 public:
  using Error::Error;
};

/// The wait was longer than its timeout. The task itself goes on.
class TimeoutError : public Error {
 public:
  using Error::Error;
};

/// The value of a task that was cancelled was asked for.
class CancelledError : public Error {
 public:
  using Error::Error;
};

/// An attempt passed its `timeout`; the text is `task 'NAME' exceeded 5s timeout`.
class AttemptTimeoutError : public Error {
 public:
  using Error::Error;
};

/// The operating system refused something. The text names the operation, the object and the
/// system's own words; `code()` is the errno.
class SystemError : public Error {
 public:
  SystemError(const std::string& what_failed, int error_number);
  int code() const { return code_; }

 private:
  int code_;
};

}  // namespace osiiso
