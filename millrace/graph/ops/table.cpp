// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/table.h"

#include "millrace/graph/messages.h"

namespace millrace::graph {

Result<TensorType> Table::infer(Operands operands, const std::string& where) const {
  if (operands.size() != 1 || !operands[0].type->is_fixed() ||
      operands[0].type->fixed().width > MaxInputWidth)  // table_c1
    return error(messages::TableC1, where, to_string(operands));
  const FixedType& x = operands[0].type->fixed();
  const TensorType result = {operands[0].type->shape, element};
  MR_TRY_STATUS(result.verify(where));
  const size_t size = size_t{1} << x.width;
  if (value.size() != size)  // table_c2
    return error(messages::TableC2, where, x.to_string(), value.size(), size);
  for (int64_t entry : value)
    if (entry < element.min_raw() || entry > element.max_raw())  // table_c3
      return error(messages::TableC3, where, entry, element.to_string());
  return result;
}

}  // namespace millrace::graph
