// SPDX-License-Identifier: Apache-2.0
// With y = sum of w * x + b, scale * y + offset = sum of (scale * w) * x + (scale * b + offset):
// a scale and an offset for each output go into weights and bias, and no bit is lost. Not where
// weights would become wide by it: those scales are carried to the quantiser (carry_scales.cpp).
#include "millrace/graph/accumulator.h"
#include "millrace/passes/dyadic.h"
#include "millrace/passes/messages.h"
#include "millrace/passes/passes.h"
#include "millrace/passes/rewrite.h"

namespace millrace::passes {
namespace {

using graph::Op;
using graph::ValueId;

// Folds what it can reach in one go: an affine whose operands are not affine themselves.
class AffineFolder {
public:
  explicit AffineFolder(const Graph& graph)
      : graph_(graph), users_(graph.users()), rewrite_(graph) {}

  bool has_changed() const { return has_changed_; }
  Result<Graph> finish() && { return std::move(rewrite_).finish(); }

  Status fold(ValueId affine) {
    const Op& op = graph_.op(affine);
    const Op& x = graph_.op(op.operands[0]);
    const auto scale = addend(op.operands[1]);
    const auto offset = addend(op.operands[2]);
    if (!scale || !offset)
      return {};
    if (const auto constant = factor(op.operands[0])) {
      MR_TRY(auto folded, scaled(*constant, *scale, *offset, x.type.shape, op, x));
      rewrite_.replace(affine, x.name, std::move(folded), {});
      has_changed_ = true;
      return {};
    }
    // The weights' last extent is that of the filters, also where filters have groups.
    const bool is_linear =
        x.as<graph::Conv2D>() || x.as<graph::ConvTranspose2D>() || x.as<graph::Dense>();
    if (!is_linear || !is_only_use(op.operands[0]) || graph::accumulator_of(x))
      return {};
    const auto weights = factor(x.operands[1]);
    const auto bias = addend(x.operands[2]);
    if (!weights || !bias)
      return {};
    const Dyadic none{std::vector<Int128>(scale->raw.size()), 0};
    const Op& w = graph_.op(x.operands[1]);
    const Op& b = graph_.op(x.operands[2]);
    auto new_weights = scale_and_shift(*weights, *scale, none);
    auto narrow =
        new_weights ? narrowest_constant(w.type.shape, *std::move(new_weights)) : std::nullopt;
    if (!narrow || narrow->type.fixed().width > MaxExactWeightBits)
      return {};
    MR_TRY(auto new_bias, scaled(*bias, *scale, *offset, b.type.shape, op, x));
    const ValueId new_w = rewrite_.add(w.name, *std::move(narrow));
    const ValueId new_b = rewrite_.add(b.name, std::move(new_bias));
    rewrite_.replace(affine, x.name, x.kind, {x.operands[0], new_w, new_b});
    has_changed_ = true;
    return {};
  }

private:
  // The exact values of a constant bias, scale or offset.
  std::optional<Dyadic> addend(ValueId value) const {
    const auto* const constant = graph_.op(value).as<graph::Constant>();
    return constant ? exact_values(*constant) : std::nullopt;
  }

  // The same for weights: real ones that lack a quantiser stay as they are, and are found later.
  std::optional<Dyadic> factor(ValueId value) const {
    const auto* const constant = graph_.op(value).as<graph::Constant>();
    return constant && is_quantized(*constant) ? exact_values(*constant) : std::nullopt;
  }

  bool is_only_use(ValueId value) const {
    return users_[static_cast<size_t>(value)].size() == 1 && !graph_.is_output(value);
  }

  static Result<graph::Constant> scaled(const Dyadic& values, const Dyadic& scale,
                                        const Dyadic& offset, const Shape& shape, const Op& affine,
                                        const Op& x) {
    auto result = scale_and_shift(values, scale, offset);
    auto constant = result ? narrowest_constant(shape, *std::move(result)) : std::nullopt;
    if (!constant)
      return error(messages::AffineTooWide, place_of(affine), affine.name, x.name);
    return *std::move(constant);
  }

  const Graph& graph_;
  std::vector<std::vector<ValueId>> users_;
  Rewrite rewrite_;
  bool has_changed_ = false;
};

}  // namespace

Result<Graph> fold_affine(const Graph& graph) {
  Graph folded = graph;
  // Each round folds the affine nearest to its weights; a chain of them takes a round each.
  for (bool has_changed = true; has_changed;) {
    AffineFolder folder(folded);
    for (size_t i = 0; i < folded.ops().size() && !folder.has_changed(); ++i)
      if (folded.ops()[i].as<graph::Affine>())
        MR_TRY_STATUS(folder.fold(static_cast<ValueId>(i)));
    has_changed = folder.has_changed();
    MR_TRY(folded, std::move(folder).finish());
  }
  return folded;
}

}  // namespace millrace::passes
