// SPDX-License-Identifier: Apache-2.0
// A build as the commands would leave it, for the tests of this folder.
#pragma once

#include <cmath>

#include "millrace/report/build_directory.h"

namespace millrace::report {

inline Build example_build() {
  Build build;
  build.network = {.network = "letters",
                   .layers = {{"image", "input", "28x28x1", "ufixed<8,0>", 0, 0},
                              {"conv1", "conv2d", "26x26x4", "fixed<17,5>", 40, 24336},
                              {"conv1_relu", "relu", "26x26x4", "ufixed<16,4>", 0, 0},
                              {"conv1_q", "requantize", "26x26x4", "ufixed<9,4>", 0, 0},
                              {"pool1", "max_pool", "13x13x4", "ufixed<9,4>", 0, 0},
                              {"conv2", "conv2d", "11x11x4", "fixed<23,9>", 148, 17424},
                              {"conv2_relu", "relu", "11x11x4", "ufixed<22,8>", 0, 0},
                              {"conv2_q", "requantize", "11x11x4", "ufixed<9,4>", 0, 0},
                              {"pool2", "max_pool", "5x5x4", "ufixed<9,4>", 0, 0},
                              {"flatten", "flatten", "100", "ufixed<9,4>", 0, 0},
                              {"dense1", "dense", "8", "fixed<24,12>", 808, 800},
                              {"dense1_relu", "relu", "8", "ufixed<23,11>", 0, 0},
                              {"dense1_q", "requantize", "8", "ufixed<9,4>", 0, 0},
                              {"dense2", "dense", "1", "fixed<20,10>", 9, 8},
                              {"dense2_q", "requantize", "1", "fixed<9,5>", 0, 0},
                              {"score", "table", "1", "ufixed<16,0>", 0, 0}},
                   .parameters = 1005,
                   .multiplications = 42568};
  build.plan = {.lanes = 28,
                .latency_cycles = 48,
                .interval_cycles = 28,
                .clock_ns = 5,
                .name = "letters",
                .part = "xcku115-flvb2104-2-i",
                .logits = false,
                .stages = {{"conv1", "window", 0, 2, 28, 26},
                           {"conv1", "map", 2, 6, 32, 26},
                           {"pool1", "window", 6, 8, 33, 13},
                           {"pool1", "map", 8, 9, 34, 13},
                           {"conv2", "window", 9, 14, 35, 11},
                           {"conv2", "map", 14, 19, 40, 11},
                           {"pool2", "window", 19, 22, 40, 5},
                           {"pool2", "map", 22, 23, 41, 5},
                           {"dense1", "accumulate", 23, 44, 44, 1},
                           {"dense2", "map", 44, 47, 47, 1}}};
  build.training = TrainingRecord{.auc = 0.9712,
                                  .accuracy = 0.9213,
                                  .float_auc = 0.9755,
                                  .float_accuracy = 0.9287,
                                  .parameters = 1005,
                                  .seed = 1,
                                  .seconds = 41.5,
                                  .quantizer = "fixed<9,5>",
                                  .sparsity = 1,
                                  .weights = {{"conv1.w", 36, 12, 20}, {"conv2.w", 144, 60, 90}},
                                  .train_images = 2000,
                                  .test_images = 800,
                                  .images = {"glyphs", "gamma", "perp", 1}};
  build.emulation = EmulationRecord{.images = 800,
                                    .accuracy = 0.9213,
                                    .auc = 0.9712,
                                    .images_per_second = 51000,
                                    .source = {"glyphs", "gamma", "perp", 1},
                                    .roc = {}};
  for (int i = 0; i <= 100; ++i)
    build.emulation->roc.push_back({i / 100.0, std::pow(i / 100.0, 0.03)});
  build.simulation = SimulationRecord{
      .frames = 400,
      .mismatches = 0,
      .latency_cycles = 48,
      .scheduled_latency_cycles = 48,
      .interval_cycles = 28,
      .scheduled_interval_cycles = 28,
      .simulator = "verilator",
      .source = {"glyphs", "gamma", "perp", 1},
      .runs = {{"back-to-back", 200, 0, 48, 28, 1.2}, {"random-gaps", 200, 0, 0, 0, 1.9}}};
  build.synthesis = SynthesisRecord{.lut = 15211,
                                    .ff = 9175,
                                    .dsp = 0,
                                    .bram18 = 0,
                                    .carry = 1873,
                                    .part = "xcku115-flvb2104-2-i",
                                    .utilisation = {0.0229, 0.0069, 0, 0},
                                    .available = {663360, 1326720, 5520, 4320},
                                    .estimated = {14985, 9102, 0, 0},
                                    .seconds = 88};
  return build;
}

}  // namespace millrace::report
