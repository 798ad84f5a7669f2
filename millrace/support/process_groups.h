// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

namespace millrace {

/// Announces a running process group for as long as the object lives, so that Ctrl-C (SIGINT),
/// SIGTERM and SIGHUP end it together with this program. Programs run in groups of their own and
/// would otherwise outlive us.
///
/// Only signals that still have their default action are taken over, and they are given back when
/// no group is left: a program with its own handlers decides for itself.
class RunningProcessGroup {
public:
  explicit RunningProcessGroup(pid_t group);
  RunningProcessGroup(const RunningProcessGroup&) = delete;
  RunningProcessGroup& operator=(const RunningProcessGroup&) = delete;
  ~RunningProcessGroup();

private:
  int slot_ = -1;  // in the table that the signal handler reads; -1 when the table was full
};

}  // namespace millrace
