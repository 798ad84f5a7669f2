// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/pointwise_datapath.h"

#include <algorithm>
#include <functional>
#include <queue>

#include "millrace/adders/signed_digits.h"
#include "millrace/support/check.h"

namespace millrace::dataflow {
namespace {

using graph::BinaryFunction;
using graph::ExactFunction;

NodeId negated(Datapath& path, NodeId x) {
  return path.add({.a = path.constant(0), .b = x, .subtract = true});
}

/// `value` where the bit of `control` is set, else 0.
NodeId gated(Datapath& path, NodeId value, NodeId control, int bit) {
  return path.select(
      {.control = control, .then = value, .otherwise = path.constant(0), .bit = bit});
}

/// Adds up nodes in a tree of least depth.
NodeId sum_of(Datapath& path, std::vector<NodeId> level) {
  if (level.empty())
    return path.constant(0);
  while (level.size() > 1) {
    std::vector<NodeId> next;
    for (size_t i = 0; i + 1 < level.size(); i += 2)
      next.push_back(path.add({.a = level[i], .b = level[i + 1]}));
    if (level.size() % 2 == 1)
      next.push_back(level.back());
    level = std::move(next);
  }
  return level.front();
}

bool is_negative_bit(const Datapath& path, NodeId x) {
  return path.node(x).lo < 0;
}

/// `value` where x is negative, else 0.
NodeId where_negative(Datapath& path, NodeId value, NodeId x) {
  if (!is_negative_bit(path, x))
    return path.constant(0);
  if (path.node(x).hi < 0)
    return value;
  return gated(path, value, x, path.node(x).type().width - 1);
}

}  // namespace

NodeId append_shift(Datapath& path, NodeId x, int shift) {
  check(shift >= 0, "a number loses bits where none may be lost");
  if (shift == 0)
    return x;
  return path.add({.a = path.constant(0), .b = x, .shift_a = 0, .shift_b = shift});
}

NodeId append_scaled(Datapath& path, NodeId x, Int128 factor) {
  // Signed digits, lowest first: every second one at most is not 0.
  struct Term {
    int shift;
    bool negative;
  };
  std::vector<Term> terms;
  for (int shift = 0; factor != 0; ++shift) {
    if ((factor & 1) != 0) {
      const int digit = (factor & 3) == 3 ? -1 : 1;
      terms.push_back({shift, digit < 0});
      factor -= digit;
    }
    factor /= 2;
  }
  if (terms.empty())
    return path.constant(0);
  // The highest digit of a positive factor is positive: begin with a positive one.
  const auto positive =
      std::find_if(terms.begin(), terms.end(), [](const Term& term) { return !term.negative; });
  if (positive != terms.end())
    std::rotate(terms.begin(), positive, positive + 1);
  NodeId sum = 0;
  int sum_shift = 0;
  for (size_t i = 0; i < terms.size(); ++i) {
    const auto& [shift, negative] = terms[i];
    if (i == 0) {
      sum = negative ? negated(path, x) : x;
      sum_shift = shift;
      continue;
    }
    const int low = std::min(shift, sum_shift);
    sum = path.add({.a = sum,
                    .b = x,
                    .shift_a = sum_shift - low,
                    .shift_b = shift - low,
                    .subtract = negative});
    sum_shift = low;
  }
  return append_shift(path, sum, sum_shift);
}

NodeId append_product(Datapath& path, NodeId a, NodeId b) {
  if (path.node(a).is_constant())
    return append_scaled(path, b, path.node(a).lo);
  if (path.node(b).is_constant())
    return append_scaled(path, a, path.node(b).lo);
  // One row for each bit of the narrower factor.
  if (path.node(a).type().width < path.node(b).type().width)
    std::swap(a, b);
  const Node& x = path.node(a);
  const Node& y = path.node(b);
  const Int128 corners[] = {x.lo * y.lo, x.lo * y.hi, x.hi * y.lo, x.hi * y.hi};
  const auto [lo, hi] = std::minmax_element(std::begin(corners), std::end(corners));
  const FixedType type = y.type();  // a symmetric quantiser's own type may be wider
  NodeId sum = gated(path, a, b, 0);
  if (type.is_signed && type.width == 1)
    sum = negated(path, sum);
  for (int bit = 1; bit < type.width; ++bit) {
    const NodeId row = gated(path, a, b, bit);
    sum = path.add({.a = sum,
                    .b = row,
                    .shift_a = 0,
                    .shift_b = bit,
                    .subtract = type.is_signed && bit == type.width - 1});
  }
  if (!path.node(sum).is_constant() && sum + 1 == std::ssize(path.nodes()))
    path.narrow(sum, *lo, *hi);
  return sum;
}

NodeId append_binary(Datapath& path, BinaryFunction function, const FixedNode& a,
                     const FixedNode& b, int frac_bits) {
  if (function == BinaryFunction::Mul)
    return append_shift(path, append_product(path, a.id, b.id),
                        frac_bits - a.frac_bits - b.frac_bits);
  const int shift_a = frac_bits - a.frac_bits;
  const int shift_b = frac_bits - b.frac_bits;
  switch (function) {
    case BinaryFunction::Add:
    case BinaryFunction::Sub:
      return path.add({.a = a.id,
                       .b = b.id,
                       .shift_a = shift_a,
                       .shift_b = shift_b,
                       .subtract = function == BinaryFunction::Sub});
    case BinaryFunction::Maximum:
      return path.max(append_shift(path, a.id, shift_a), append_shift(path, b.id, shift_b));
    case BinaryFunction::Minimum:
      return path.min(append_shift(path, a.id, shift_a), append_shift(path, b.id, shift_b));
    case BinaryFunction::Mul:
      break;
  }
  check(false, "a function of two numbers that no datapath computes");
  return 0;
}

NodeId append_prelu(Datapath& path, const FixedNode& x, const FixedNode& alpha, int frac_bits) {
  const NodeId positive = append_shift(path, path.relu(x.id), frac_bits - x.frac_bits);
  const NodeId negative = where_negative(path, x.id, x.id);
  if (path.node(negative).lo == 0 && path.node(negative).hi == 0)
    return positive;
  const NodeId scaled = append_shift(path, append_product(path, negative, alpha.id),
                                     frac_bits - x.frac_bits - alpha.frac_bits);
  return path.add({.a = positive, .b = scaled});
}

NodeId append_exact(Datapath& path, ExactFunction function, NodeId x) {
  const Int128 lo = path.node(x).lo;
  const Int128 hi = path.node(x).hi;
  switch (function) {
    case ExactFunction::Negate:
      return negated(path, x);
    case ExactFunction::Abs: {
      if (lo >= 0)
        return x;
      const NodeId negative = negated(path, x);
      return hi <= 0 ? negative : path.max(x, negative);
    }
    case ExactFunction::Square: {
      const NodeId square = append_product(path, x, x);
      if (!path.node(square).is_constant() && square + 1 == std::ssize(path.nodes()))
        path.narrow(square, 0, std::max(lo * lo, hi * hi));
      return square;
    }
    case ExactFunction::Sign:
      return path.add({.a = path.greater(x, path.constant(0)),
                       .b = path.greater(path.constant(0), x),
                       .subtract = true});
    case ExactFunction::Binarize:
      return path.select({.control = path.greater(path.constant(0), x),
                          .then = path.constant(-1),
                          .otherwise = path.constant(1)});
  }
  check(false, "a function of a number that no datapath computes");
  return 0;
}

NodeId append_reduction(Datapath& path, graph::ReduceFunction function, std::vector<NodeId> level) {
  if (function == graph::ReduceFunction::Sum)
    return sum_of(path, std::move(level));
  while (level.size() > 1) {
    std::vector<NodeId> next;
    for (size_t i = 0; i + 1 < level.size(); i += 2)
      next.push_back(path.max(level[i], level[i + 1]));
    if (level.size() % 2 == 1)
      next.push_back(level.back());
    level = std::move(next);
  }
  return level.front();
}

std::vector<NodeId> append_top_k(Datapath& path, const std::vector<NodeId>& x, int64_t k) {
  const auto index_node = [&](size_t i) { return path.constant(static_cast<Int128>(i)); };
  if (k == 1) {
    struct Candidate {
      NodeId value, index;
    };
    std::vector<Candidate> level;
    for (size_t i = 0; i < x.size(); ++i)
      level.push_back({x[i], index_node(i)});
    while (level.size() > 1) {
      std::vector<Candidate> next;
      for (size_t i = 0; i + 1 < level.size(); i += 2) {
        const Candidate& a = level[i];
        const Candidate& b = level[i + 1];
        const NodeId b_wins = path.greater(b.value, a.value);
        next.push_back({path.select({.control = b_wins, .then = b.value, .otherwise = a.value}),
                        path.select({.control = b_wins, .then = b.index, .otherwise = a.index})});
      }
      if (level.size() % 2 == 1)
        next.push_back(level.back());
      level = std::move(next);
    }
    return {level.front().index};
  }
  // Each element's rank: how many stand before it.
  std::vector<std::vector<NodeId>> before(x.size());
  for (size_t i = 0; i < x.size(); ++i)
    for (size_t j = i + 1; j < x.size(); ++j) {
      const NodeId later_wins = path.greater(x[j], x[i]);
      before[i].push_back(later_wins);
      before[j].push_back(path.add({.a = path.constant(1), .b = later_wins, .subtract = true}));
    }
  std::vector<NodeId> ranks;
  for (std::vector<NodeId>& others : before)
    ranks.push_back(sum_of(path, std::move(others)));
  std::vector<NodeId> results;
  for (int64_t rank = 0; rank < k; ++rank) {
    std::vector<NodeId> parts;
    for (size_t i = 1; i < x.size(); ++i) {
      const FixedType type = path.node(ranks[i]).signal_type();
      std::vector<int64_t> codes(size_t{1} << type.width, 0);
      const Int128 place = rank - type.min_raw();
      if (place >= 0 && place < static_cast<Int128>(codes.size()))
        codes[static_cast<size_t>(place)] = static_cast<int64_t>(i);
      if (path.node(ranks[i]).is_constant())
        parts.push_back(path.node(ranks[i]).lo == rank ? index_node(i) : path.constant(0));
      else
        parts.push_back(path.table({.x = ranks[i],
                                    .from = type,
                                    .to = narrowest_type(0, static_cast<Int128>(i), 0).value(),
                                    .values = std::move(codes)}));
    }
    const NodeId index = sum_of(path, std::move(parts));
    // Only one of the parts is not 0.
    if (!path.node(index).is_constant() && index + 1 == std::ssize(path.nodes()) && x.size() > 2)
      path.narrow(index, 0, static_cast<Int128>(x.size()) - 1);
    results.push_back(index);
  }
  return results;
}

namespace {

/// floor(n / divisor) for n >= 0.
NodeId append_floor_quotient(Datapath& path, NodeId n, Int128 divisor) {
  const Int128 most = path.node(n).hi;
  if (most < divisor)
    return path.constant(0);
  // The reciprocal 2^shift / divisor rounded up errs by less than n / 2^shift < 1 / divisor.
  int shift = 0;
  while ((Int128{1} << shift) < divisor || [&] {
    const Int128 factor = ((Int128{1} << shift) + divisor - 1) / divisor;
    return (factor * divisor - (Int128{1} << shift)) * (most + 1) >= (Int128{1} << shift);
  }()) {
    ++shift;
    check(shift < 62, "a quotient needs too wide a reciprocal");
  }
  const Int128 factor = ((Int128{1} << shift) + divisor - 1) / divisor;
  const NodeId product = append_scaled(path, n, factor);
  const FixedType whole = narrowest_type(0, most / divisor, 0).value();
  return path.requantize(
      {.x = product,
       .from_frac_bits = shift,
       .to = {.type = whole, .rounding = Rounding::Floor, .overflow = Overflow::Wrap}});
}

}  // namespace

NodeId append_quotient(Datapath& path, const FixedNode& sum, int64_t count, const Quantizer& to) {
  int powers = 0;
  int64_t odd = count;
  for (; odd % 2 == 0; odd /= 2)
    ++powers;
  if (odd == 1)
    return path.requantize({.x = sum.id, .from_frac_bits = sum.frac_bits + powers, .to = to});

  // n / divisor in the quantiser's raw integers, both of them integers.
  const int dropped = sum.frac_bits - to.type.frac_bits;
  const NodeId n = append_shift(path, sum.id, std::max(0, -dropped));
  check(dropped < 40, "a mean drops too many bits");
  const Int128 divisor = Int128{count} << std::max(0, dropped);
  const Int128 half = divisor / 2;
  const bool has_ties = divisor % 2 == 0;
  const Int128 below_half = has_ties ? half - 1 : half;
  Int128 offset = 0;           // added in front of the truncation
  Int128 negative_offset = 0;  // added to that where n is negative
  switch (to.rounding) {
    case Rounding::Floor:
      break;
    case Rounding::TowardsZero:
      negative_offset = divisor - 1;
      break;
    case Rounding::HalfUp:
    case Rounding::HalfEven:
      offset = half;
      break;
    case Rounding::HalfDown:
      offset = below_half;
      break;
    case Rounding::HalfTowardsZero:
      offset = below_half;
      negative_offset = half - below_half;
      break;
    case Rounding::HalfAwayFromZero:
      offset = half;
      negative_offset = below_half - half;
      break;
  }
  // Made positive by a multiple of the divisor.
  const Int128 least =
      std::min<Int128>(0, path.node(n).lo + offset + std::min<Int128>(0, negative_offset));
  const Int128 turns = (-least + divisor - 1) / divisor;
  NodeId positive = path.add({.a = n, .b = path.constant(offset + turns * divisor)});
  if (negative_offset != 0) {
    const NodeId extra = where_negative(path, path.constant(negative_offset), n);
    positive = path.add({.a = positive, .b = extra});
    path.narrow(positive, 0, path.node(positive).hi);
  }
  NodeId quotient = append_floor_quotient(path, positive, divisor);
  if (to.rounding == Rounding::HalfEven && has_ties && !path.node(quotient).is_constant()) {
    // Half-way where nothing is left over: odd results go down.
    const NodeId product = append_scaled(path, quotient, divisor);
    const NodeId left = path.add({.a = positive, .b = product, .subtract = true});
    path.narrow(left, 0, divisor - 1);
    const NodeId is_tie = path.add(
        {.a = path.constant(1), .b = path.greater(left, path.constant(0)), .subtract = true});
    // The multiple of the divisor that was added may have turned odd into even.
    const NodeId parity = path.add({.a = quotient, .b = path.constant(turns)});
    const NodeId down = gated(path, is_tie, parity, 0);
    quotient = path.add({.a = quotient, .b = down, .subtract = true});
  }
  const NodeId result = path.add({.a = quotient, .b = path.constant(turns), .subtract = true});
  return path.requantize({.x = result, .from_frac_bits = to.type.frac_bits, .to = to});
}

}  // namespace millrace::dataflow
