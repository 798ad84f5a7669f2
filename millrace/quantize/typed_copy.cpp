// SPDX-License-Identifier: Apache-2.0
#include "millrace/quantize/typed_copy.h"

#include "millrace/fixed/quantizer_text.h"
#include "millrace/quantize/messages.h"

namespace millrace::quantize {

using graph::Op;
using graph::ValueId;

Result<ValueId> TypedCopy::copied(ValueId value) {
  const auto found = copies_.find(value);
  if (found != copies_.end())
    return found->second;
  const Op& op = graph_.op(value);
  MR_TRY(copies_[value], builder_.add(op.name, op.kind, {}, op.where));
  return copies_[value];
}

Result<ValueId> TypedCopy::copied_constant(ValueId constant, graph::Constant as) {
  if (!copies_.contains(constant)) {
    const Op& op = graph_.op(constant);
    MR_TRY(copies_[constant], builder_.add(op.name, std::move(as), {}, op.where));
  }
  return copies_[constant];
}

Result<ValueId> TypedCopy::typed_constant(ValueId constant, const ChosenType& chosen) {
  const auto key = std::pair{constant, to_string(chosen.quantizer)};
  const auto found = typed_constants_.find(key);
  if (found != typed_constants_.end())
    return found->second;
  const Op& op = graph_.op(constant);
  MR_TRY(const ValueId real, copied(constant));
  MR_TRY(
      typed_constants_[key],
      builder_.add(op.name + ".typed", graph::Requantize{chosen.quantizer}, {real}, chosen.origin));
  return typed_constants_[key];
}

Status retype(Op& requantize, const ChosenType& chosen) {
  const auto& quantizer = std::get<graph::Requantize>(requantize.kind);
  if (!quantizer.steps.empty())
    return error(messages::StepsKeepTheirType, chosen.origin, requantize.name,
                 quantizer.steps.front());
  requantize.kind = graph::Requantize{chosen.quantizer};
  requantize.where = chosen.origin;
  return {};
}

}  // namespace millrace::quantize
