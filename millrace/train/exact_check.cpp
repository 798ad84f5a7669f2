// SPDX-License-Identifier: Apache-2.0
#include "millrace/train/exact_check.h"

#include <fmt/format.h>

#include "millrace/frontends/onnx/import.h"
#include "millrace/passes/lower.h"
#include "millrace/reference/evaluate.h"
#include "millrace/support/check.h"

namespace millrace::train {

Result<std::vector<double>> exact_logits(std::string_view qonnx, const data::ImageSet& images) {
  MR_TRY(const graph::Graph imported, frontends::import_onnx_bytes(qonnx, "the trained network"));
  MR_TRY(const graph::Graph exact, passes::lower(imported, {.logits = true}));
  check(exact.outputs().size() == 1, "one logit");
  const FixedType type = exact.type(exact.outputs().front()).fixed();
  const int64_t pixels = images.height * images.width;
  std::vector<double> logits;
  for (int64_t i = 0; i < images.count(); ++i) {
    const IntTensor image{{images.height, images.width, 1},
                          {images.image(i), images.image(i) + pixels}};
    const std::vector<IntTensor> results = reference::evaluate(exact, {image});
    check(results.at(0).data.size() == 1, "one logit an image");
    logits.push_back(type.to_double(results[0].data[0]));
  }
  return logits;
}

void check_equal(const std::vector<double>& trained, const std::vector<double>& exact) {
  check(trained.size() == exact.size(), "as many logits as images");
  for (size_t i = 0; i < exact.size(); ++i)
    check(trained[i] == exact[i],
          fmt::format("test image {}: the training computes the logit {}, the exact graph {}", i,
                      trained[i], exact[i]));
}

}  // namespace millrace::train
