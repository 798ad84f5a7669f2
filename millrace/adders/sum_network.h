// SPDX-License-Identifier: Apache-2.0
// The state of the search: values that are sums of signed, shifted values, and the steps that
// change how they are written without changing what they are.
#pragma once

#include <cstdint>
#include <vector>

#include "millrace/adders/pair_counts.h"

namespace millrace::adders {

/// Sums of any number of terms over inputs and other sums, without cycles. A sum of n terms stands
/// for n - 1 adders in an order that is left open; so all pairs of its terms are candidates for
/// sharing. Some sums are outputs; every other one is used at least twice, since one that is used
/// once is written out where it is used.
///
/// Without a depth limit, depths are not kept. With one, every value has a depth (an upper bound
/// between exact_depths()), and a sum of depth d obeys Kraft's inequality: the 2^depth of its terms
/// add up to at most 2^d, so that there is a tree of adders for it. A step that would break the
/// inequality is not taken.
class SumNetwork {
public:
  static constexpr int NoLimit = -1;

  /// An output: +-(value << shift).
  struct Output {
    ValueId value = 0;
    int shift = 0;
    bool negative = false;
  };

  /// `groups` gives each input its group, 0 to num_groups - 1. Pairs are counted within one group
  /// at a time, which bounds the memory for matrices with very many columns.
  SumNetwork(const std::vector<int>& groups, int num_outputs, int depth_limit);

  // --- building -------------------------------------------------------------------------------

  /// Adds a sum and makes it the output `index`. Its terms are inputs and earlier sums.
  ValueId add_output(int index, const std::vector<Term>& terms);
  /// Ends building: from now on every sum has two terms or more and is no multiple of another.
  void finish();
  /// Shows the terms of this group from now on, and no others; group 0 after finish(). Only what is
  /// shown is counted and changed.
  void focus(int group);
  /// Shows the terms of all groups; ends the search.
  void show_all();

  // --- reading --------------------------------------------------------------------------------

  int num_inputs() const { return num_inputs_; }
  ValueId num_values() const { return static_cast<ValueId>(sums_.size()); }
  const std::vector<Output>& outputs() const { return outputs_; }
  const std::vector<Term>& terms(ValueId value) const { return sums_[value].terms; }
  bool is_input(ValueId value) const { return value < static_cast<ValueId>(num_inputs_); }
  /// True for a sum that exists and is shown; its number may be taken again once it is gone.
  bool is_sum(ValueId value) const {
    return sums_[value].is_live && !is_input(value) && sums_[value].group == focus_;
  }
  bool is_output(ValueId value) const { return sums_[value].num_outputs > 0; }
  /// True for a value that stands in a sum.
  bool is_term(ValueId value) const { return sums_[value].num_uses > sums_[value].num_outputs; }
  int depth_limit() const { return depth_limit_; }
  int depth(ValueId value) const { return sums_[value].depth; }
  /// Adders of all sums together.
  int64_t num_adders() const { return num_adders_; }
  /// Sums that have `value` as a term; valid until the next call.
  const std::vector<ValueId>& readers(ValueId value);
  /// Pair counts updated so far.
  int64_t work() const { return pairs_.num_updates(); }
  int num_groups() const { return num_groups_; }

  // --- steps ----------------------------------------------------------------------------------

  /// Makes one of the most frequent pairs of terms a value of its own; false when no pair stands
  /// twice.
  bool share_pair(Random& random);
  /// Writes a sum out wherever it is used; it goes unless it is an output.
  void write_out(ValueId sum);
  /// Replaces the terms of a sum by others that amount to the same.
  void rewrite(ValueId sum, const std::vector<Term>& terms);
  /// Computes all depths anew, if there is a limit; steps leave them as upper bounds, undo() leaves
  /// them wrong.
  void exact_depths();

  /// Notes all steps from here on, until keep() or undo().
  void begin();
  void keep();
  void undo();

private:
  struct Sum {
    std::vector<Term> terms;
    int num_hidden = 0;         // terms of groups that are out of focus; outputs alone have some
    uint64_t hidden_kraft = 0;  // their weights together
    int num_uses = 0;           // as a term or an output
    int num_outputs = 0;        // as an output
    int depth = 0;
    int group = 0;
    uint64_t kraft = 0;  // the weights of all terms together
    bool is_live = false;
  };

  /// One change, to be undone.
  struct Change {
    enum class Kind { AddTerm, RemoveTerm, AddSum, RemoveSum, MoveOutput };
    Kind kind;
    ValueId sum = 0;  // or the index of the output
    Term term;        // or the output before
    int depth = 0;    // of the sum that went
    int group = 0;    // of the sum that went
  };

  /// Where a pair stands.
  struct Occurrence {
    ValueId sum = 0;
    Term first, second;
  };

  /// What a term adds to the Kraft sum of its reader.
  uint64_t weight(ValueId value) const {
    return depth_limit_ == NoLimit ? 0 : uint64_t{1} << sums_[value].depth;
  }
  bool contains(ValueId sum, Term term) const;
  size_t num_terms(ValueId sum) const {
    return sums_[sum].terms.size() + static_cast<size_t>(sums_[sum].num_hidden);
  }
  void split_groups();
  void hide();
  void show(int group);
  void append(ValueId sum, Term term);
  void erase(ValueId sum, Term term);
  void add(ValueId sum, Term term);
  void replace(ValueId reader, ValueId value, const std::vector<Term>& by);
  ValueId new_sum(int depth, int group);
  void free_sum(ValueId sum);
  void drop(ValueId sum);
  void move_output(size_t index, Output to);
  void merge_alias(ValueId sum);
  void settle();
  void settle_sum(ValueId sum);
  void find_occurrences(Pair pair);
  bool fits(ValueId sum, uint64_t growth) const;
  void update_depth(ValueId sum);
  void share(Pair pair);
  void note(Change change) {
    if (is_noting_)
      changes_.push_back(change);
  }

  int num_inputs_;
  int num_groups_;
  int depth_limit_;
  int focus_ = 0;
  bool is_counting_;  // pairs, which are not before finish() when there are several groups
  int64_t num_adders_ = 0;
  std::vector<Sum> sums_;                      // by value; inputs have no terms
  std::vector<std::vector<ValueId>> readers_;  // by value; may hold some that read it no longer
  std::vector<Output> outputs_;
  std::vector<std::pair<ValueId, std::vector<std::vector<Term>>>> hidden_;  // sums, by group
  std::vector<ValueId> free_;
  PairCounts pairs_;

  std::vector<ValueId> to_settle_;
  bool is_noting_ = false;
  std::vector<Change> changes_;

  std::vector<ValueId> found_readers_;
  std::vector<uint32_t> seen_;  // by value: the scan in which it was met
  uint32_t scan_ = 0;
  std::vector<Occurrence> occurrences_;
};

}  // namespace millrace::adders
