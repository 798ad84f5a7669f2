// SPDX-License-Identifier: Apache-2.0
// Operations that move elements and compute nothing.
#pragma once

#include "millrace/graph/graph.h"

namespace millrace::reference {

/// What each operation's header says, element by element. `shape` is that of the result.
IntTensor pad(const graph::Pad& pad, const IntTensor& x, const Shape& shape);
IntTensor slice(const graph::Slice& slice, const IntTensor& x);
IntTensor transpose(const graph::Transpose& transpose, const IntTensor& x, const Shape& shape);
IntTensor upsample(const graph::Upsample& upsample, const IntTensor& x, const Shape& shape);

}  // namespace millrace::reference
