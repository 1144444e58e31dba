// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <string>
#include <string_view>

namespace osiiso::cli {

/// Standard output and standard error as several threads write to them during a run: every text in
/// one piece, and the progress display out of its way. Thread-safe.
class Console {
 public:
  /// Writes all of `text`. Waits for a reader that is slow; 0, or the errno of what went wrong:
  /// from then on what goes to this descriptor is dropped, with the same answer.
  int write(int descriptor, std::string_view text);

  /// Shows these lines at the end of standard error, a terminal, until the next call: other texts
  /// appear above them. Empty: nothing more. Drops it where the terminal is busy.
  void draw(std::string_view lines);

  /// Erases what is drawn; until `go_on_drawing` nothing is, for the terminal is somebody else's.
  void stop_drawing();
  /// What was drawn before is no more where it was.
  void go_on_drawing();

  /// The same for text of our own, which begins a line: what a task printed may have no end.
  int write_line(int descriptor, std::string_view text);

  /// The run is being ended: from now on nobody waits long for a reader.
  void hurry() { in_a_hurry_ = true; }

  /// Whether both descriptors are one file, so that they need not be told apart.
  bool is_one() const { return is_one_; }

 private:
  friend Console& console();
  Console();

  std::size_t place_of(int descriptor) const;
  std::mutex& mutex_of(int descriptor) { return mutexes_.at(place_of(descriptor)); }
  int write_text(int descriptor, std::string_view text);
  int write_locked(int descriptor, std::string_view text);
  bool wait_for_reader(int descriptor) const;
  void erase();

  const bool is_one_;
  std::atomic<bool> in_a_hurry_ = false;
  std::array<std::mutex, 2> mutexes_;
  std::array<int, 2> errors_{};        // each guarded by its descriptor's mutex
  std::array<bool, 2> are_in_line_{};  // likewise: what was written last has no end
  std::atomic<bool> is_drawing_stopped_ = false;
  std::atomic<std::size_t> lines_drawn_ = 0;  // changed by who has the mutex of standard error
};

/// The program's own; made with the first call, which comes when the descriptors are what they are
/// to be.
Console& console();

enum class Colour { automatic, always, never };

/// Whether colours may be used on this descriptor; where nobody said, on a terminal that is not
/// dumb, unless `NO_COLOR` is set.
bool takes_colours(int descriptor, Colour when);

/// What a task printed, as it may be written there: a terminal obeys none of it but colours, and
/// finds the beginning of a line after it. Elsewhere it is left as it is.
std::string shown_on(int descriptor, const std::string& printed);

}  // namespace osiiso::cli
