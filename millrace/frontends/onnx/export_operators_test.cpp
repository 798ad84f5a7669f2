// SPDX-License-Identifier: Apache-2.0
// Every operation that ONNX has comes back from a file and computes the same.
#include <algorithm>
#include <gtest/gtest.h>
#include <ostream>
#include <random>
#include <string>

#include "millrace/frontends/onnx/export.h"
#include "millrace/frontends/onnx/import.h"
#include "millrace/frontends/onnx/messages.h"
#include "millrace/graph/text.h"
#include "millrace/reference/evaluate_real.h"

namespace millrace::frontends::onnx {
namespace {

struct Case {
  std::string name;
  std::string ops;
  bool is_same = true;           ///< the graph comes back as it was, not only its results
  bool keeps_operations = true;  ///< as many, where the graph is not the same

  friend void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }
};

std::string input(const std::string& shape) {
  return "%x = input : tensor<" + shape + " x real>\n";
}

std::string one(const std::string& in, const std::string& op, const std::string& out) {
  return input(in) + "%y = " + op + " : tensor<" + out + " x real>\noutput %y\n";
}

std::string constant(const std::string& name, const std::string& shape, int64_t count) {
  std::string values;
  for (int64_t i = 0; i < count; ++i)
    values += (i ? ", " : "") + std::to_string((i * 7) % 11 - 5) + ".5";
  return "%" + name + " = constant {value = [" + values + "]} : tensor<" + shape + " x real>\n";
}

// What ONNX has no operator for is a function of Millrace's own.
void add_own_functions(std::vector<Case>& all) {
  all.push_back({"silu", one("2x3x2", "unary %x {function = silu}", "2x3x2")});
  all.push_back({"rsqrt", input("4") +
                              "%a = abs %x : tensor<4 x real>\n%y = unary %a {function = rsqrt} "
                              ": tensor<4 x real>\noutput %y\n"});
  for (const std::string rounding :
       {"TRN", "TRN_ZERO", "RND", "RND_ZERO", "RND_MIN_INF", "RND_INF", "RND_CONV"})
    for (const std::string overflow : {"WRAP", "SAT", "SAT_ZERO", "SAT_SYM"}) {
      const std::string modes = "rounding = " + rounding + ", overflow = " + overflow;
      all.push_back({"requantize_" + rounding + "_" + overflow,
                     input("2x3x2") + "%y = requantize %x {" + modes +
                         "} : tensor<2x3x2 x fixed<5,3>>\n%z = requantize %x {" + modes +
                         "} : tensor<2x3x2 x ufixed<4,2>>\n%r = relu %x : tensor<2x3x2 x real>\n"
                         "output %y\noutput %z\noutput %r\n",
                     overflow != "SAT_SYM"});  // unsigned the same as SAT
    }
  const std::string wrapped = "{rounding = RND, overflow = WRAP, ";
  all.push_back({"signs_of_channels",
                 input("2x2x2") + "%y = requantize %x " + wrapped +
                     "types = [fixed<4,2>, ufixed<6,3>]} : tensor<2x2x2 x fixed<7,4>>\n%z = relu "
                     "%x : tensor<2x2x2 x real>\noutput %y\noutput %z\n"});
  all.push_back({"types_of_elements",
                 input("1x2x2") + "%y = requantize %x " + wrapped +
                     "types = [fixed<4,2>, fixed<6,3>, fixed<5,3>, fixed<2,2>]} : tensor<1x2x2 x "
                     "fixed<6,3>>\n%z = relu %x : tensor<1x2x2 x real>\noutput %y\noutput %z\n",
                 false});
  all.push_back({"one_signed_bit", input("3") +
                                       "%y = requantize %x {rounding = TRN, overflow = SAT} : "
                                       "tensor<3 x fixed<1,1>>\n%z = relu %x : tensor<3 x real>\n"
                                       "output %y\noutput %z\n"});
  all.push_back({"counted_steps",
                 input("2x2x2") +
                     "%y = requantize %x {rounding = RND_CONV, overflow = SAT, steps = [0.3]} : "
                     "tensor<2x2x2 x fixed<4,4>>\n%z = requantize %x {rounding = RND, overflow = "
                     "SAT, steps = [0.3, 0.7]} : tensor<2x2x2 x ufixed<4,3>>\n"
                     "output %y\noutput %z\n"});
  all.push_back({"scaled_steps",
                 input("2x2x2") +
                     "%q = requantize %x {rounding = RND_CONV, overflow = SAT, steps = [0.3]} : "
                     "tensor<2x2x2 x fixed<4,4>>\n"
                     "%q.scale = constant {value = [0.3]} : tensor<1 x real>\n"
                     "%q.scaled = mul %q, %q.scale : tensor<2x2x2 x real>\noutput %q.scaled\n"});
  all.push_back({"weights", input("2") + constant("w", "2x2", 4) + "%wq = requantize %w " +
                                wrapped.substr(0, 32) + "} : tensor<2x2 x fixed<3,3>>\n" +
                                constant("b", "2", 2) +
                                "%y = dense %x, %wq, %b : tensor<2 x real>\noutput %y\n"});
  all.push_back(
      {"table", input("2x2x1") +
                    "%c = requantize %x {rounding = RND_CONV, overflow = SAT} : tensor<2x2x1 x "
                    "fixed<2,1>>\n%y = table %c {value = [5, -3, 7, 0]} : tensor<2x2x1 x "
                    "fixed<4,2>>\n%z = relu %x : tensor<2x2x1 x real>\noutput %y\noutput %z\n"});
}

// The importer takes arithmetic with constants for one operation; what was apart stays apart.
void add_chains(std::vector<Case>& all) {
  const std::string numbers = input("2x2x3") +
                              "%c = constant {value = [0.1]} : tensor<1 x real>\n" +
                              constant("s", "3", 3) + constant("o", "3", 3);
  const auto chain = [&](const std::string& name, const std::string& first,
                         const std::string& second) {
    all.push_back({name,
                   numbers + "%p = " + first + " : tensor<2x2x3 x real>\n%y = " + second +
                       " : tensor<2x2x3 x real>\noutput %y\n",
                   false});
  };
  chain("mul_mul", "mul %x, %c", "mul %p, %c");
  chain("mul_add", "mul %x, %c", "add %p, %s");
  chain("mul_affine", "mul %x, %c", "affine %p, %s, %o");
  chain("affine_mul", "affine %x, %s, %o", "mul %p, %c");
  chain("affine_affine", "affine %x, %s, %o", "affine %p, %s, %o");
  all.push_back(
      {"constant_minus_x",
       input("3") + constant("c", "3", 3) + "%y = sub %c, %x : tensor<3 x real>\noutput %y\n",
       false, false});
  ;
  all.push_back({"bias_apart", input("2") + constant("w", "2x2", 4) +
                                   "%f.bias = constant {value = [0, 0]} : tensor<2 x real>\n" +
                                   "%f = dense %x, %w, %f.bias : tensor<2 x real>\n" +
                                   constant("c", "2", 2) +
                                   "%y = add %f, %c : tensor<2 x real>\noutput %y\n"});
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const char* function : {"sigmoid", "tanh", "exp", "softplus", "softsign", "erf", "gelu",
                               "gelu_tanh", "hard_swish", "mish", "reciprocal"})
    all.push_back(
        {function, one("2x3x2", std::string("unary %x {function = ") + function + "}", "2x3x2")});
  all.push_back({"elu", one("4", "unary %x {function = elu, alpha = 0.5}", "4")});
  all.push_back({"selu", one("4", "unary %x {function = selu}", "4")});
  all.push_back(
      {"hard_sigmoid", one("4", "unary %x {function = hard_sigmoid, alpha = 0.25}", "4")});
  all.push_back({"hard_tanh",
                 one("4", "unary %x {function = hard_tanh, alpha = -0.5, beta = 2.0}", "4"), false,
                 false});
  for (const char* function : {"abs", "negate", "sign", "square", "relu", "softmax", "binarize"})
    all.push_back({function, one("2x3x2", std::string(function) + " %x", "2x3x2")});
  for (const char* function : {"add", "sub", "mul", "maximum", "minimum"}) {
    const std::string f = function;
    all.push_back({f + "_maps", one("2x3x2", f + " %x, %x", "2x3x2")});
    all.push_back({f + "_inputs", input("2x3x2") + "%z = input : tensor<2x3x2 x real>\n%y = " + f +
                                      " %x, %z : tensor<2x3x2 x real>\noutput %y\noutput %z\n"});
    all.push_back({f + "_channels",
                   input("2x3x2") + constant("c", "2", 2) + "%y = " + f +
                       " %x, %c : tensor<2x3x2 x real>\noutput %y\n",
                   false});
    all.push_back({f + "_map_constant",
                   input("2x3x2") + constant("c", "2x3x2", 12) + "%y = " + f +
                       " %x, %c : tensor<2x3x2 x real>\noutput %y\n",
                   false});
    all.push_back({f + "_vector",
                   input("3") + constant("c", "3", 3) + "%y = " + f +
                       " %x, %c : tensor<3 x real>\noutput %y\n",
                   false});
    all.push_back({f + "_places", input("2x3x2") + "%z = input : tensor<2x3x1 x real>\n%y = " + f +
                                      " %x, %z : tensor<2x3x2 x real>\noutput %y\n"});
    all.push_back({f + "_computed_channels", input("2x3x2") +
                                                 "%z = input : tensor<2 x real>\n%y = " + f +
                                                 " %x, %z : tensor<2x3x2 x real>\noutput %y\n"});
  }
  const std::string window = " %x {kernel = [2, 3], stride = [2, 1], padding = [1, 0, 0, 2]";
  all.push_back({"max_pool", one("4x4x2", "max_pool" + window + "}", "2x4x2")});
  all.push_back(
      {"avg_pool", one("4x4x2", "avg_pool" + window + ", include_padding = 0}", "2x4x2")});
  all.push_back(
      {"avg_pool_padded", one("4x4x2", "avg_pool" + window + ", include_padding = 1}", "2x4x2")});
  all.push_back({"avg_pool_dilated",
                 one("5x5x2",
                     "avg_pool %x {kernel = [2, 2], stride = [1, 1], padding = [0, 0, 0, 0], "
                     "dilation = [2, 3], include_padding = 0}",
                     "3x2x2")});
  all.push_back({"conv", input("5x5x4") + constant("w", "3x2x2x2", 24) + constant("b", "2", 2) +
                             "%y = conv2d %x, %w, %b {kernel = [3, 2], stride = [1, 2], padding = "
                             "[1, 0, 0, 1], dilation = [1, 2], groups = 2} : tensor<4x2x2 x "
                             "real>\noutput %y\n"});
  all.push_back(
      {"conv_transpose",
       input("3x3x2") + constant("w", "3x2x2x3", 36) + constant("b", "3", 3) +
           "%y = conv_transpose2d %x, %w, %b {kernel = [3, 2], stride = [2, 2], padding = "
           "[1, 0, 0, -1]} : tensor<6x7x3 x real>\noutput %y\n"});
  all.push_back({"affine", input("2x2x3") + constant("s", "3", 3) + constant("o", "3", 3) +
                               "%y = affine %x, %s, %o : tensor<2x2x3 x real>\noutput %y\n"});
  all.push_back({"prelu", input("2x2x3") + constant("a", "3", 3) +
                              "%y = prelu %x, %a : tensor<2x2x3 x real>\noutput %y\n"});
  all.push_back({"pad", one("2x3x2", "pad %x {padding = [1, 2, 0, 3]}", "3x8x2")});
  all.push_back({"slice", one("3x4x3", "slice %x {begin = [1, 0, 1], size = [2, 3, 1]}", "2x3x1")});
  all.push_back({"slice_vector", one("7", "slice %x {begin = [2], size = [3]}", "3")});
  all.push_back({"upsample", one("2x3x2", "upsample %x {factor = [2, 3]}", "4x9x2")});
  all.push_back(
      {"transpose",
       input("2x3x4") +
           "%t = transpose %x {permutation = [1, 2, 0]} : tensor<3x4x2 x real>\n"
           "%y = max_pool %t {kernel = [2, 1], stride = [1, 1], padding = [0, 0, 0, 0]} : "
           "tensor<2x4x2 x real>\noutput %y\n",
       false});
  all.push_back({"reshape", one("2x3x4", "reshape %x {shape = [4, 2, 3]}", "4x2x3"), false});
  all.push_back({"reshape_vector", one("6", "reshape %x {shape = [1, 2, 3]}", "1x2x3"), false});
  all.push_back({"flatten", one("2x3x2", "flatten %x", "12"), false});
  all.push_back({"concat", input("2x2x1") +
                               "%z = input : tensor<2x2x2 x real>\n%y = concat %x, %z, "
                               "%x : tensor<2x2x4 x real>\noutput %y\n"});
  all.push_back({"reduce_sum", one("2x2x3", "reduce %x {function = sum}", "2x2x1")});
  all.push_back({"reduce_max", one("5", "reduce %x {function = max}", "1")});
  all.push_back({"arg_max", input("5") + "%y = top_k %x {k = 1} : tensor<1 x ufixed<3,3>>\noutput "
                                         "%y\n"});
  all.push_back({"top_k", input("2x2x5") + "%y = top_k %x {k = 3} : tensor<2x2x3 x "
                                           "ufixed<3,3>>\noutput %y\n"});
  all.push_back({"flattened_top_k",
                 input("2x2x2") + "%f = flatten %x : tensor<8 x real>\n%y = top_k %f {k = 2} : "
                                  "tensor<2 x ufixed<3,3>>\noutput %y\n",
                 false});
  all.push_back(
      {"channel_quantizers",
       input("2x2x2") +
           "%y = requantize %x {rounding = RND_CONV, overflow = SAT, types = [fixed<4,2>, "
           "fixed<6,3>]} : tensor<2x2x2 x fixed<6,3>>\n%z = relu %x : tensor<2x2x2 x "
           "real>\noutput %y\noutput %z\n"});
  add_own_functions(all);
  add_chains(all);
  return all;
}

/// Without those that only bring elements into another order.
size_t num_operations(const graph::Graph& graph) {
  return static_cast<size_t>(std::ranges::count_if(graph.ops(), [](const graph::Op& op) {
    return !op.as<graph::Constant>() && !op.as<graph::Reshape>() && !op.as<graph::Transpose>() &&
           !op.as<graph::Flatten>();
  }));
}

class ExportedOperators : public ::testing::TestWithParam<Case> {};

TEST_P(ExportedOperators, ComeBackAndComputeTheSame) {
  const auto graph = graph::parse("graph @g {\n" + GetParam().ops + "}\n", "test");
  ASSERT_TRUE(graph) << graph.error().to_string();
  const auto bytes = export_onnx(*graph);
  ASSERT_TRUE(bytes) << bytes.error().to_string();
  const auto again = import_onnx_bytes(*bytes, "again.onnx");
  ASSERT_TRUE(again) << again.error().to_string();
  if (GetParam().is_same) {
    EXPECT_EQ(graph::print(*again), graph::print(*graph));
  }
  if (GetParam().keeps_operations) {
    EXPECT_EQ(num_operations(*again), num_operations(*graph)) << graph::print(*again);
  }
  ASSERT_EQ(again->inputs().size(), graph->inputs().size());
  ASSERT_EQ(again->outputs().size(), graph->outputs().size());
  std::mt19937_64 random(1);
  for (int sample = 0; sample < 5; ++sample) {
    std::vector<std::vector<double>> x;
    for (const graph::ValueId id : graph->inputs()) {
      auto& values = x.emplace_back();
      for (int64_t i = 0; i < num_elements(graph->type(id).shape); ++i)
        values.push_back(static_cast<double>(random() % 64) / 8 - 4 + 1.0 / 32);
    }
    EXPECT_EQ(reference::evaluate_real(*again, x), reference::evaluate_real(*graph, x));
  }
  for (size_t i = 0; i < graph->outputs().size(); ++i)
    EXPECT_EQ(again->type(again->outputs()[i]).shape, graph->type(graph->outputs()[i]).shape);
}

INSTANTIATE_TEST_SUITE_P(All, ExportedOperators, ::testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace millrace::frontends::onnx
