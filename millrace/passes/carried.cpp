// SPDX-License-Identifier: Apache-2.0
#include "millrace/passes/carried.h"

#include <algorithm>

#include "millrace/support/check.h"

namespace millrace::passes {
namespace {

// Element by element, where either has one number for all elements.
template <class Operation>
void combine(std::vector<Rational>& a, const std::vector<Rational>& b, Operation operation) {
  if (a.size() == 1)
    a.resize(b.size(), Rational(a.front()));
  check(b.size() == 1 || b.size() == a.size(), "factors of different channels");
  for (size_t i = 0; i < a.size(); ++i)
    operation(a[i], b[b.size() == 1 ? 0 : i]);
}

}  // namespace

bool CarriedTerm::is_positive() const {
  return std::ranges::all_of(factor, [](const Rational& f) { return f > 0; });
}

bool Carried::has_offset() const {
  return std::ranges::any_of(offset, [](const Rational& o) { return o != 0; });
}

bool Carried::is_scaled_code() const {
  return is_single() && is_linear() && !has_offset() && terms.front().is_uniform() &&
         terms.front().is_positive();
}

void Carried::scale(const std::vector<Rational>& factors) {
  check(is_linear(), "a clamped value is scaled");
  const auto multiply = [](Rational& a, const Rational& b) { a *= b; };
  for (CarriedTerm& term : terms)
    combine(term.factor, factors, multiply);
  combine(offset, factors, multiply);
}

void Carried::shift(const std::vector<Rational>& offsets) {
  check(is_linear(), "a clamped value is shifted");
  combine(offset, offsets, [](Rational& a, const Rational& b) { a += b; });
}

void Carried::raise_to(const Rational& bound) {
  least = least ? std::max(*least, bound) : bound;
  if (most)
    most = std::max(*most, bound);
}

void Carried::lower_to(const Rational& bound) {
  most = most ? std::min(*most, bound) : bound;
  if (least)
    least = std::min(*least, bound);
}

}  // namespace millrace::passes
