// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/keras/layers.h"

#include <algorithm>

namespace millrace::frontends::keras {

const LayerRule* find_layer(std::string_view class_name) {
  for (const auto rules :
       {dense_layers(), convolution_layers(), pooling_layers(), shape_layers(), merge_layers(),
        activation_layers(), normalization_layers(), hgq_layers(), hgq2_layers(),
        hgq2_einsum_layers(), hgq2_operation_layers(), hgq2_table_layers()}) {
    const auto found = std::ranges::find(rules, class_name, &LayerRule::class_name);
    if (found != rules.end())
      return &*found;
  }
  return nullptr;
}

}  // namespace millrace::frontends::keras
