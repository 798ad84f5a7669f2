// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "millrace/frontends/keras/model.h"
#include "millrace/frontends/keras/weights.h"
#include "millrace/graph/graph.h"

namespace millrace::frontends::keras {

/// Translates a model layer by layer. `weights` is null where there are none.
Result<graph::Graph> translate(const Model& model, const Weights* weights);

/// True where a model has layers with weights, as far as their classes say.
bool needs_weights(const Model& model);

}  // namespace millrace::frontends::keras
