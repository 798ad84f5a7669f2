// SPDX-License-Identifier: Apache-2.0
#include "millrace/adders/sum_network.h"

#include <algorithm>
#include <bit>

#include "millrace/support/check.h"

namespace millrace::adders {

SumNetwork::SumNetwork(const std::vector<int>& groups, int num_outputs, int depth_limit)
    : num_inputs_(static_cast<int>(groups.size())),
      num_groups_(1 + *std::max_element(groups.begin(), groups.end())),
      depth_limit_(depth_limit),
      is_counting_(num_groups_ == 1),
      sums_(groups.size()),
      readers_(groups.size()),
      outputs_(static_cast<size_t>(num_outputs)),
      seen_(groups.size(), 0) {
  for (size_t input = 0; input < groups.size(); ++input) {
    sums_[input].is_live = true;
    sums_[input].group = groups[input];
  }
}

ValueId SumNetwork::add_output(int index, const std::vector<Term>& terms) {
  const ValueId sum = new_sum(0, 0);
  for (const Term term : terms)
    append(sum, term);
  update_depth(sum);
  sums_[sum].num_uses = sums_[sum].num_outputs = 1;
  outputs_[static_cast<size_t>(index)].value = sum;
  return sum;
}

void SumNetwork::finish() {
  for (auto sum = static_cast<ValueId>(num_inputs_); sum < num_values(); ++sum)
    settle_sum(sum);
  settle();
  if (num_groups_ > 1)
    split_groups();
}

/// Moves the terms of all groups but the first out of sight.
void SumNetwork::split_groups() {
  for (auto value = static_cast<ValueId>(num_inputs_); value < num_values(); ++value) {
    Sum& sum = sums_[value];
    auto& [owner, groups] = hidden_.emplace_back();
    owner = value;
    groups.resize(static_cast<size_t>(num_groups_));
    for (const Term term : sum.terms)
      groups[static_cast<size_t>(sums_[term.value()].group)].push_back(term);
    sum.num_hidden = static_cast<int>(sum.terms.size());
    sum.hidden_kraft = sum.kraft;
    sum.terms.clear();
  }
  is_counting_ = true;
  show(0);
}

void SumNetwork::focus(int group) {
  if (group == focus_)
    return;
  check(!is_noting_, "the focus moves between steps only");
  hide();
  show(group);
}

void SumNetwork::show_all() {
  hide();
  for (auto& [owner, groups] : hidden_) {
    for (std::vector<Term>& shown : groups)
      sums_[owner].terms.insert(sums_[owner].terms.end(), shown.begin(), shown.end());
    sums_[owner].num_hidden = 0;
    sums_[owner].hidden_kraft = 0;
  }
  hidden_.clear();
  for (Sum& sum : sums_)
    sum.group = focus_;
}

void SumNetwork::hide() {
  pairs_.clear();
  for (auto& [owner, groups] : hidden_) {
    Sum& sum = sums_[owner];
    sum.num_hidden += static_cast<int>(sum.terms.size());
    for (const Term term : sum.terms)
      sum.hidden_kraft += weight(term.value());
    groups[static_cast<size_t>(focus_)].swap(sum.terms);
    sum.terms.clear();
  }
}

void SumNetwork::show(int group) {
  focus_ = group;
  for (auto& [owner, groups] : hidden_) {
    Sum& sum = sums_[owner];
    if (!is_term(owner))
      sum.group = group;
    std::vector<Term>& shown = groups[static_cast<size_t>(group)];
    for (const Term term : shown) {
      pairs_.add(term, sum.terms);
      sum.terms.push_back(term);
    }
    sum.num_hidden -= static_cast<int>(shown.size());
    for (const Term term : shown)
      sum.hidden_kraft -= weight(term.value());
    shown.clear();
  }
}

// --- single terms ------------------------------------------------------------------------------

bool SumNetwork::contains(ValueId sum, Term term) const {
  const std::vector<Term>& terms = sums_[sum].terms;
  return std::find(terms.begin(), terms.end(), term) != terms.end();
}

void SumNetwork::append(ValueId sum, Term term) {
  Sum& to = sums_[sum];
  if (is_counting_)
    pairs_.add(term, to.terms);
  to.terms.push_back(term);
  to.kraft += weight(term.value());
  num_adders_ += num_terms(sum) > 1 ? 1 : 0;
  ++sums_[term.value()].num_uses;
  readers_[term.value()].push_back(sum);
  note({.kind = Change::Kind::AddTerm, .sum = sum, .term = term});
}

void SumNetwork::erase(ValueId sum, Term term) {
  Sum& from = sums_[sum];
  const auto place = std::find(from.terms.begin(), from.terms.end(), term);
  check(place != from.terms.end(), "a sum does not have the term to be removed");
  *place = from.terms.back();
  from.terms.pop_back();
  if (is_counting_)
    pairs_.remove(term, from.terms);
  from.kraft -= weight(term.value());
  num_adders_ -= num_terms(sum) > 0 ? 1 : 0;
  if (--sums_[term.value()].num_uses <= 1)
    to_settle_.push_back(term.value());
  note({.kind = Change::Kind::RemoveTerm, .sum = sum, .term = term});
}

/// Adds a term and merges it with what is there: x + x = 2x, x - x = 0, 2x - x = x.
void SumNetwork::add(ValueId sum, Term term) {
  const Term opposite = term.negated();
  if (contains(sum, opposite)) {
    erase(sum, opposite);
  } else if (contains(sum, term)) {
    erase(sum, term);
    add(sum, term.shifted(1));
  } else if (contains(sum, opposite.shifted(1))) {
    erase(sum, opposite.shifted(1));
    add(sum, opposite);
  } else if (term.shift() > 0 && contains(sum, opposite.shifted(-1))) {
    erase(sum, opposite.shifted(-1));
    add(sum, term.shifted(-1));
  } else {
    append(sum, term);
  }
}

/// Replaces `value` in `reader` by the sum of the terms `by`.
void SumNetwork::replace(ValueId reader, ValueId value, const std::vector<Term>& by) {
  std::vector<Term> uses;
  for (const Term term : sums_[reader].terms)
    if (term.value() == value)
      uses.push_back(term);
  for (const Term use : uses) {
    erase(reader, use);
    for (const Term term : by)
      add(reader, term.within(use));
  }
}

const std::vector<ValueId>& SumNetwork::readers(ValueId value) {
  ++scan_;
  found_readers_.clear();
  std::vector<ValueId>& candidates = readers_[value];
  for (const ValueId sum : candidates) {
    if (seen_[sum] == scan_)
      continue;
    seen_[sum] = scan_;
    const std::vector<Term>& terms = sums_[sum].terms;
    if (std::any_of(terms.begin(), terms.end(), [&](Term t) { return t.value() == value; }))
      found_readers_.push_back(sum);
  }
  candidates.assign(found_readers_.begin(), found_readers_.end());
  return found_readers_;
}

// --- whole sums --------------------------------------------------------------------------------

ValueId SumNetwork::new_sum(int depth, int group) {
  auto sum = num_values();
  if (free_.empty()) {
    check(sum < (ValueId{1} << Term::ValueBits), "a network of sums grows too large");
    sums_.emplace_back();
    readers_.emplace_back();
    seen_.push_back(0);
  } else {
    sum = free_.back();
    free_.pop_back();
  }
  sums_[sum].is_live = true;
  sums_[sum].depth = depth;
  sums_[sum].group = group;
  note({.kind = Change::Kind::AddSum, .sum = sum, .term = {}});
  return sum;
}

void SumNetwork::free_sum(ValueId sum) {
  note({.kind = Change::Kind::RemoveSum,
        .sum = sum,
        .term = {},
        .depth = sums_[sum].depth,
        .group = sums_[sum].group});
  sums_[sum].is_live = false;
  free_.push_back(sum);
}

void SumNetwork::drop(ValueId sum) {
  while (!sums_[sum].terms.empty())
    erase(sum, sums_[sum].terms.back());
  free_sum(sum);
}

void SumNetwork::move_output(size_t index, Output to) {
  Output& output = outputs_[index];
  note({.kind = Change::Kind::MoveOutput,
        .sum = static_cast<ValueId>(index),
        .term = {output.value, output.shift, output.negative}});
  Sum& from = sums_[output.value];
  --from.num_outputs;
  if (--from.num_uses <= 1)
    to_settle_.push_back(output.value);
  ++sums_[to.value].num_outputs;
  ++sums_[to.value].num_uses;
  output = to;
}

/// Lets the only term of a sum take the sum's place.
void SumNetwork::merge_alias(ValueId sum) {
  const std::vector<Term> alias = sums_[sum].terms;
  const std::vector<ValueId> readers_of_sum = readers(sum);
  for (const ValueId reader : readers_of_sum)
    replace(reader, sum, alias);
  for (size_t i = 0; i < outputs_.size() && sums_[sum].num_outputs > 0; ++i)
    if (outputs_[i].value == sum)
      move_output(i, {.value = alias[0].value(),
                      .shift = outputs_[i].shift + alias[0].shift(),
                      .negative = outputs_[i].negative != alias[0].negative()});
  drop(sum);
  for (const ValueId reader : readers_of_sum)
    settle_sum(reader);
}

void SumNetwork::settle_sum(ValueId sum) {
  if (!is_sum(sum))
    return;
  const Sum& it = sums_[sum];
  if (it.num_uses == 0) {
    drop(sum);
  } else if (num_terms(sum) == 1) {
    merge_alias(sum);
  } else if (it.num_uses == 1 && it.num_outputs == 0) {
    const ValueId reader = readers(sum)[0];
    const std::vector<Term> terms = it.terms;
    replace(reader, sum, terms);
    settle_sum(reader);
  }
}

/// Writes out what is used only once, and drops what is not used at all.
void SumNetwork::settle() {
  while (!to_settle_.empty()) {
    const ValueId sum = to_settle_.back();
    to_settle_.pop_back();
    settle_sum(sum);
  }
}

void SumNetwork::write_out(ValueId sum) {
  const std::vector<Term> terms = sums_[sum].terms;
  const std::vector<ValueId> readers_of_sum = readers(sum);
  for (const ValueId reader : readers_of_sum)
    replace(reader, sum, terms);
  for (const ValueId reader : readers_of_sum)
    settle_sum(reader);
  settle();
}

void SumNetwork::rewrite(ValueId sum, const std::vector<Term>& terms) {
  while (!sums_[sum].terms.empty())
    erase(sum, sums_[sum].terms.back());
  for (const Term term : terms)
    add(sum, term);
  settle_sum(sum);
  settle();
}

// --- sharing -----------------------------------------------------------------------------------

/// True when the sum still has a tree within its depth after its Kraft sum has grown.
bool SumNetwork::fits(ValueId sum, uint64_t growth) const {
  const Sum& it = sums_[sum];
  return it.kraft + growth <= uint64_t{1} << (is_term(sum) ? it.depth : depth_limit_);
}

/// Finds where the pair stands and may be shared, no term being taken twice.
void SumNetwork::find_occurrences(Pair pair) {
  occurrences_.clear();
  const ValueId x = pair.first().value();
  const ValueId y = pair.second().value();
  const uint64_t growth = 2 * std::max(weight(x), weight(y)) - weight(x) - weight(y);
  for (const ValueId sum : readers(readers_[x].size() < readers_[y].size() ? x : y)) {
    const std::vector<Term>& terms = sums_[sum].terms;
    const auto begin = static_cast<ptrdiff_t>(occurrences_.size());
    uint64_t spent = 0;
    for (const Term first : terms) {
      if (first.value() != x || first.shift() + pair.second().shift() > Term::MaxShift)
        continue;
      const Term second = pair.second().within({0, first.shift(), first.negative()});
      if (!contains(sum, second))
        continue;
      const bool is_taken =
          x == y && std::any_of(occurrences_.begin() + begin, occurrences_.end(),
                                [&](const Occurrence& other) {
                                  return other.second == first || other.first == second;
                                });
      const bool is_too_deep =
          depth_limit_ != NoLimit && num_terms(sum) > 2 && !fits(sum, spent + growth);
      if (is_taken || is_too_deep)
        continue;
      spent += growth;
      occurrences_.push_back({sum, first, second});
    }
  }
}

/// Makes the pair a value and puts it in the place of all its occurrences.
void SumNetwork::share(Pair pair) {
  const std::vector<Occurrence> occurrences = occurrences_;
  // A sum that is the pair and nothing else is the value wanted.
  const auto host = std::find_if(occurrences.begin(), occurrences.end(), [&](const Occurrence& it) {
    return num_terms(it.sum) == 2 && it.first.shift() == 0;
  });
  const int depth =
      std::max(sums_[pair.first().value()].depth, sums_[pair.second().value()].depth) + 1;
  Term shared;
  if (host != occurrences.end()) {
    shared = {host->sum, 0, host->first.negative()};
    if (!is_term(host->sum))
      sums_[host->sum].depth = depth;  // nobody relied on it so far
  } else {
    shared = {new_sum(depth, focus_), 0, false};
    append(shared.value(), pair.first());
    append(shared.value(), pair.second());
  }
  for (auto it = occurrences.begin(); it != occurrences.end(); ++it) {
    if (it == host)
      continue;
    erase(it->sum, it->first);
    erase(it->sum, it->second);
    add(it->sum, shared.within({0, it->first.shift(), it->first.negative()}));
  }
  for (const Occurrence& it : occurrences)
    if (num_terms(it.sum) == 1)
      settle_sum(it.sum);
  settle();
}

bool SumNetwork::share_pair(Random& random) {
  while (const std::optional<Pair> pair = pairs_.pick(random)) {
    find_occurrences(*pair);
    const auto found = static_cast<int>(occurrences_.size());
    if (found >= 2 && found >= pairs_.picked_count()) {
      share(*pair);
      return true;
    }
    pairs_.defer(found);
  }
  return false;
}

void SumNetwork::update_depth(ValueId sum) {
  Sum& it = sums_[sum];
  it.kraft = it.hidden_kraft;
  for (const Term term : it.terms)
    it.kraft += weight(term.value());
  it.depth = depth_limit_ == NoLimit ? 0 : static_cast<int>(std::bit_width(it.kraft - 1));
}

void SumNetwork::exact_depths() {
  if (depth_limit_ == NoLimit)
    return;
  ++scan_;
  for (ValueId input = 0; input < static_cast<ValueId>(num_inputs_); ++input)
    seen_[input] = scan_;
  std::vector<ValueId> stack;
  for (const Output& output : outputs_)
    stack.push_back(output.value);
  while (!stack.empty()) {
    const ValueId value = stack.back();
    const size_t size = stack.size();
    if (seen_[value] != scan_)
      for (const Term term : sums_[value].terms)
        if (seen_[term.value()] != scan_)
          stack.push_back(term.value());
    if (stack.size() > size)
      continue;
    stack.pop_back();
    if (seen_[value] == scan_)
      continue;
    seen_[value] = scan_;
    update_depth(value);
  }
}

// --- undoing -----------------------------------------------------------------------------------

void SumNetwork::begin() {
  changes_.clear();
  is_noting_ = true;
}

void SumNetwork::keep() {
  is_noting_ = false;
  changes_.clear();
}

void SumNetwork::undo() {
  is_noting_ = false;
  for (auto change = changes_.rbegin(); change != changes_.rend(); ++change) {
    switch (change->kind) {
      case Change::Kind::AddTerm:
        erase(change->sum, change->term);
        break;
      case Change::Kind::RemoveTerm:
        append(change->sum, change->term);
        break;
      case Change::Kind::AddSum:
        sums_[change->sum].is_live = false;
        free_.push_back(change->sum);
        break;
      case Change::Kind::RemoveSum:
        free_.pop_back();
        sums_[change->sum].is_live = true;
        sums_[change->sum].depth = change->depth;
        sums_[change->sum].group = change->group;
        break;
      case Change::Kind::MoveOutput:
        move_output(change->sum, {.value = change->term.value(),
                                  .shift = change->term.shift(),
                                  .negative = change->term.negative()});
        break;
    }
  }
  changes_.clear();
  to_settle_.clear();
}

}  // namespace millrace::adders
