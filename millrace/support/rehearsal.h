// SPDX-License-Identifier: Apache-2.0
// For libraries that may crash on hostile input.
#pragma once

#include <functional>

namespace millrace {

/// Runs `work` in a copy of this process (fork) and waits for it; true where it came to its end, an
/// exception included. Whoever then does the same does it with the same memory, to the byte: what
/// kills the copy kills nobody else.
///
/// The copy has that many seconds of processor time, and its standard error is closed. To be called
/// while no other thread holds a lock that `work` needs.
bool survives(const std::function<void()>& work, int seconds = 10);

}  // namespace millrace
