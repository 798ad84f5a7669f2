// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace millrace::cli {

/// What `millrace` returns to the shell.
enum ExitCode : int {
  Done = 0,
  UsersFault = 1,  ///< with a diagnostic
  WrongUsage = 2,
  OurFault = 3,
  Stopped = 130,  ///< by Ctrl-C, as shells count it
};

}  // namespace millrace::cli
