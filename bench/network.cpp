// SPDX-License-Identifier: Apache-2.0
// Prints a network whose circuit is measured: millrace_bench_network conv2d --size 30 > conv2d.mr
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "bench/networks.h"

#include "millrace/graph/text.h"

int main(int argc, char** argv) {
  try {
    using namespace millrace;  // NOLINT(google-build-using-namespace)
    CLI::App app("Prints an exact network with weights drawn by seed");
    app.require_subcommand(1);
    app.fallthrough();
    bench::ConvolutionOptions options;
    app.add_option("--seed", options.seed, "Of the weights")->capture_default_str();
    CLI::App* conv2d = app.add_subcommand("conv2d", "One 3x3 convolution without padding");
    CLI::App* separable = app.add_subcommand("separable", "A depthwise 3x3 and a pointwise one");
    CLI::App* resnet = app.add_subcommand("resnet", "Three residual blocks over 32x32x3");
    app.add_subcommand("mlp", "Dense layers 16-64-32-32-5");
    for (CLI::App* convolution : {conv2d, separable}) {
      convolution->add_option("--size", options.size, "Pixels along each side")
          ->check(CLI::Range(3, 4096))
          ->capture_default_str();
      convolution->add_option("--channels", options.channels, "Of the input")
          ->check(CLI::Range(1, 1024))
          ->capture_default_str();
      convolution->add_option("--filters", options.filters, "Channels of the result")
          ->check(CLI::Range(1, 1024))
          ->capture_default_str();
    }
    CLI11_PARSE(app, argc, argv);
    const graph::Graph network = conv2d->parsed()      ? bench::conv2d_network(options)
                                 : separable->parsed() ? bench::separable_network(options)
                                 : resnet->parsed()    ? bench::resnet_network(options.seed)
                                                       : bench::mlp_network(options.seed);
    std::fputs(graph::print(network).c_str(), stdout);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
  }
  return 0;
}
