// SPDX-License-Identifier: Apache-2.0
#include "millrace/reference/evaluate_real.h"

#include <cmath>
#include <gtest/gtest.h>
#include <string>

#include "millrace/graph/text.h"

namespace millrace::reference {
namespace {

std::vector<double> evaluate_text(const std::string& text, const std::vector<double>& x) {
  return evaluate_real(graph::parse(text, "test").value(), {x}).at(0);
}

std::vector<double> function(const std::string& attributes, const std::vector<double>& x) {
  return evaluate_text("graph @g {\n  %x = input : tensor<" + std::to_string(x.size()) +
                           " x real>\n  %y = unary %x {" + attributes + "} : tensor<" +
                           std::to_string(x.size()) + " x real>\n  output %y\n}\n",
                       x);
}

// Values of the functions' definitions, computed with more digits than a double has.
TEST(EvaluateReal, Functions) {
  struct Row {
    std::string attributes;
    double x, y;
  };
  for (const Row& row : {Row{"function = sigmoid", 1, 0.7310585786300049},
                         Row{"function = tanh", 1, 0.7615941559557649},
                         Row{"function = exp", 1, 2.718281828459045},
                         Row{"function = log", 2, 0.6931471805599453},
                         Row{"function = gelu", 1, 0.8413447460685429},
                         Row{"function = gelu_tanh", 1, 0.8411919906082768},
                         Row{"function = silu", 1, 0.7310585786300049},
                         Row{"function = softplus", 1, 1.3132616875182228},
                         Row{"function = softplus", 1000, 1000},
                         Row{"function = softsign", -3, -0.75},
                         Row{"function = elu, alpha = 2.0", -1, -1.2642411176571153},
                         Row{"function = selu", 2, 2.1014020442962646},
                         Row{"function = erf", 1, 0.8427007929497149},
                         Row{"function = sqrt", 2, 1.4142135623730951},
                         Row{"function = rsqrt", 4, 0.5},
                         Row{"function = reciprocal", 8, 0.125},
                         Row{"function = hard_sigmoid, alpha = 0.25", 1, 0.75},
                         Row{"function = hard_sigmoid", 4, 1},
                         Row{"function = hard_tanh, alpha = -0.5", -3, -0.5},
                         Row{"function = hard_swish", 1, 0.6666666666666666},
                         Row{"function = mish", 1, 0.8650983882673103}})
    EXPECT_NEAR(function(row.attributes, {row.x}).at(0), row.y, 1e-15 * std::abs(row.y))
        << row.attributes;
}

TEST(EvaluateReal, SoftmaxOfLargeNumbers) {
  const auto y = evaluate_text(
      "graph @g {\n  %x = input : tensor<1x2x2 x real>\n"
      "  %y = softmax %x : tensor<1x2x2 x real>\n  output %y\n}\n",
      {1000, 1000, 0, std::log(3.0)});
  ASSERT_EQ(y.size(), 4U);
  EXPECT_EQ(y[0], 0.5);
  EXPECT_EQ(y[1], 0.5);
  EXPECT_NEAR(y[2], 0.25, 1e-15);
  EXPECT_NEAR(y[3], 0.75, 1e-15);
}

TEST(EvaluateReal, TopKTakesTheLowerChannelOfEqualNumbers) {
  EXPECT_EQ(evaluate_text("graph @g {\n  %x = input : tensor<4 x real>\n"
                          "  %y = top_k %x {k = 3} : tensor<3 x ufixed<2,2>>\n  output %y\n}\n",
                          {1, 5, -2, 5}),
            (std::vector<double>{1, 3, 0}));
}

}  // namespace
}  // namespace millrace::reference
