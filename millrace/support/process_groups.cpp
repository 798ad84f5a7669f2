// SPDX-License-Identifier: Apache-2.0
#include "millrace/support/process_groups.h"

#include <array>
#include <atomic>
#include <mutex>
#include <signal.h>

namespace millrace {

namespace {

constexpr int MaxGroups = 256;
constexpr std::array Signals = {SIGINT, SIGTERM, SIGHUP};

// What the signal handler reads: lock-free, zero for a free slot.
std::array<std::atomic<pid_t>, MaxGroups> running_groups{};
static_assert(std::atomic<pid_t>::is_always_lock_free);

std::mutex handlers_mutex;
int num_groups = 0;                             // guarded by handlers_mutex
std::array<bool, Signals.size()> taken_over{};  // guarded by handlers_mutex

extern "C" void end_groups_and_die(int signal) {
  for (const auto& group : running_groups)
    if (const pid_t id = group.load(); id > 0)
      ::kill(-id, SIGKILL);
  // SA_RESETHAND has restored the default action: the signal now ends this program, too.
  ::raise(signal);
}

void take_over_signals() {
  for (size_t i = 0; i < Signals.size(); ++i) {
    struct sigaction current{};
    if (::sigaction(Signals[i], nullptr, &current) != 0 || (current.sa_flags & SA_SIGINFO) ||
        current.sa_handler != SIG_DFL)
      continue;
    struct sigaction ours{};
    ours.sa_handler = end_groups_and_die;
    ours.sa_flags = static_cast<int>(SA_RESETHAND);
    ::sigemptyset(&ours.sa_mask);
    taken_over[i] = ::sigaction(Signals[i], &ours, nullptr) == 0;
  }
}

void give_back_signals() {
  for (size_t i = 0; i < Signals.size(); ++i) {
    struct sigaction current{};
    // Somebody else's handler, set meanwhile, stays.
    if (taken_over[i] && ::sigaction(Signals[i], nullptr, &current) == 0 &&
        current.sa_handler == end_groups_and_die)
      ::signal(Signals[i], SIG_DFL);
    taken_over[i] = false;
  }
}

}  // namespace

RunningProcessGroup::RunningProcessGroup(pid_t group) {
  const std::lock_guard lock(handlers_mutex);
  for (int i = 0; i < MaxGroups && slot_ < 0; ++i) {
    pid_t free_slot = 0;
    if (running_groups[static_cast<size_t>(i)].compare_exchange_strong(free_slot, group))
      slot_ = i;
  }
  if (num_groups++ == 0)
    take_over_signals();
}

RunningProcessGroup::~RunningProcessGroup() {
  const std::lock_guard lock(handlers_mutex);
  if (slot_ >= 0)
    running_groups[static_cast<size_t>(slot_)].store(0);
  if (--num_groups == 0)
    give_back_signals();
}

}  // namespace millrace
