// SPDX-License-Identifier: Apache-2.0
#include "millrace/adders/pair_counts.h"

#include <algorithm>
#include <bit>

#include "millrace/support/check.h"

namespace millrace::adders {
namespace {

constexpr int CountBits = 64 - Pair::Bits;
constexpr size_t FirstSize = 1U << 10;

}  // namespace

PairCounts::PairCounts() : slots_(FirstSize, 0), mask_(FirstSize - 1), buckets_(2) {}

size_t PairCounts::home(uint64_t key) const {
  const uint64_t mixed = key * 0x9E3779B97F4A7C15U;  // Knuth's multiplicative hashing
  return static_cast<size_t>(mixed >> 24) & mask_;
}

/// The slot of a pair, or the free one in which it would go.
size_t PairCounts::find(uint64_t key) const {
  size_t slot = home(key);
  while (slots_[slot] != 0 && slots_[slot] >> CountBits != key)
    slot = (slot + 1) & mask_;
  return slot;
}

/// Takes a slot out and moves back those behind it that had probed past it.
void PairCounts::erase(size_t slot) {
  size_t hole = slot;
  for (size_t next = (hole + 1) & mask_; slots_[next] != 0; next = (next + 1) & mask_) {
    const size_t wanted = home(slots_[next] >> CountBits);
    if (((next - wanted) & mask_) >= ((next - hole) & mask_)) {
      slots_[hole] = slots_[next];
      hole = next;
    }
  }
  slots_[hole] = 0;
  --num_used_;
}

void PairCounts::reserve(size_t num_more) {
  if ((num_used_ + num_more) * 2 <= slots_.size())
    return;
  std::vector<uint64_t> old(std::bit_ceil((num_used_ + num_more) * 3), 0);
  old.swap(slots_);
  mask_ = slots_.size() - 1;
  for (const uint64_t entry : old)
    if (entry != 0)
      slots_[find(entry >> CountBits)] = entry;
}

void PairCounts::enqueue(uint64_t key, size_t count) {
  if (buckets_.size() <= count)
    buckets_.resize(count + 1);
  buckets_[count].push_back(key);
  top_ = std::max(top_, count);
}

void PairCounts::enqueue_waiting() {
  for (const uint64_t key : waiting_) {
    uint64_t& entry = slots_[find(key)];
    if (entry == 0)
      continue;  // it stands nowhere any more
    entry &= ~WaitsBit;
    if ((entry & CountMask) >= 2)
      enqueue(key, entry & CountMask);
  }
  waiting_.clear();
}

/// Computes the keys of all pairs first, so that the memory is on its way when they are counted.
void PairCounts::locate(Term term, const std::vector<Term>& others) {
  keys_.resize(others.size());
  for (size_t i = 0; i < others.size(); ++i) {
    keys_[i] = Pair(term, others[i]).bits();
    __builtin_prefetch(&slots_[home(keys_[i])], 1);
  }
  num_updates_ += static_cast<int64_t>(others.size());
}

void PairCounts::add(Term term, const std::vector<Term>& others) {
  reserve(others.size());
  locate(term, others);
  for (const uint64_t key : keys_) {
    uint64_t& entry = slots_[find(key)];
    if (entry == 0) {
      entry = key << CountBits;
      ++num_used_;
    }
    check((entry & CountMask) < CountMask, "a pair of terms stands too often to be counted");
    ++entry;
    if ((entry & CountMask) >= 2 && (entry & WaitsBit) == 0) {
      entry |= WaitsBit;
      waiting_.push_back(key);
    }
  }
}

void PairCounts::remove(Term term, const std::vector<Term>& others) {
  locate(term, others);
  for (const uint64_t key : keys_) {
    const size_t slot = find(key);
    if ((--slots_[slot] & CountMask) == 0)
      erase(slot);
  }
}

int PairCounts::count(Pair pair) const {
  return static_cast<int>(slots_[find(pair.bits())] & CountMask);
}

void PairCounts::clear() {
  slots_.assign(FirstSize, 0);
  mask_ = FirstSize - 1;
  num_used_ = 0;
  waiting_.clear();
  buckets_.assign(2, {});
  top_ = 1;
}

std::optional<Pair> PairCounts::pick(Random& random) {
  enqueue_waiting();
  for (; top_ >= 2; --top_) {
    std::vector<uint64_t>& bucket = buckets_[top_];
    while (!bucket.empty()) {
      picked_ = random.below(bucket.size());
      const Pair pair = Pair::from_bits(bucket[picked_]);
      const auto now = static_cast<size_t>(count(pair));
      if (now >= top_)
        return pair;
      defer(static_cast<int>(now));
    }
  }
  return std::nullopt;
}

void PairCounts::defer(int count) {
  std::vector<uint64_t>& bucket = buckets_[top_];
  const uint64_t key = bucket[picked_];
  bucket[picked_] = bucket.back();
  bucket.pop_back();
  if (count >= 2)
    enqueue(key, static_cast<size_t>(count));
}

}  // namespace millrace::adders
