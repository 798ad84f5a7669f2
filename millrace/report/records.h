// SPDX-License-Identifier: Apache-2.0
// What each command found out. A record is what `--json` prints and, in a build directory, what
// NAME.json holds: one list of fields serves writing and reading both.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/support/diagnostics.h"

namespace millrace::report {

/// Where labelled images came from.
struct DataRecord {
  std::string data = {};  ///< "glyphs", or the directory or file prefix of an IDX set
  std::string signal = {}, background = {};
  uint64_t seed = 1;  ///< of generated images

  bool is_known() const { return !data.empty(); }

  template <class Visitor>
  void visit(Visitor& visitor) {
    visitor("data", data);
    visitor("signal", signal);
    visitor("background", background);
    visitor("seed", seed);
  }
};

/// The weights of one layer, as its adders see them.
struct WeightsRecord {
  std::string name = {};
  int64_t count = 0;
  int64_t zeros = 0;
  int64_t signed_digits = 0;  ///< about one adder each

  template <class Visitor>
  void visit(Visitor& visitor) {
    visitor("name", name);
    visitor("count", count);
    visitor("zeros", zeros);
    visitor("signed_digits", signed_digits);
  }
};

/// What `train` found.
struct TrainingRecord {
  static constexpr std::string_view Name = "train";
  double auc = 0, accuracy = 0;              ///< quantised network, test images
  double float_auc = 0, float_accuracy = 0;  ///< the float network it began from
  int64_t parameters = 0;
  uint64_t seed = 1;
  double seconds = 0;
  std::string quantizer = {};  ///< "fixed<9,5>"
  int64_t epochs = 0;          ///< of each phase
  double sparsity = 0;         ///< weight of the adders beside the loss
  std::vector<WeightsRecord> weights = {};
  int64_t train_images = 0, test_images = 0;
  DataRecord images = {};
  std::string model_crc32 = {};  ///< of the model file: a record knows which model it is about

  template <class Visitor>
  void visit(Visitor& visitor) {
    visitor("auc", auc);
    visitor("accuracy", accuracy);
    visitor("float_auc", float_auc);
    visitor("float_accuracy", float_accuracy);
    visitor("parameters", parameters);
    visitor("seed", seed);
    visitor("seconds", seconds);
    visitor("quantizer", quantizer);
    visitor("epochs", epochs);
    visitor("sparsity", sparsity);
    visitor("weights", weights);
    visitor("train_images", train_images);
    visitor("test_images", test_images);
    visitor("images", images);
    visitor("model_crc32", model_crc32);
  }
};

/// One layer, as `inspect` lists it.
struct LayerRecord {
  std::string name = {}, kind = {};
  std::string shape = {}, type = {};  ///< of the layer's result: "26x26x4", "ufixed<9,4>"
  int64_t parameters = 0;             ///< weights and biases
  int64_t multiplications = 0;        ///< one frame's

  template <class Visitor>
  void visit(Visitor& visitor) {
    visitor("name", name);
    visitor("kind", kind);
    visitor("shape", shape);
    visitor("type", type);
    visitor("parameters", parameters);
    visitor("multiplications", multiplications);
  }
};

/// A quantiser of the model, and where it came from.
struct QuantizerRecord {
  std::string value = {};  ///< what it quantises
  std::string type =
      {};  ///< with its modes: "fixed<8,2,RND_CONV,SAT>"; of single channels: "3 types"
  std::string origin = {};  ///< a node of the model's file, or a rule

  template <class Visitor>
  void visit(Visitor& visitor) {
    visitor("value", value);
    visitor("type", type);
    visitor("origin", origin);
  }
};

/// What `inspect` found.
struct NetworkRecord {
  static constexpr std::string_view Name = "inspect";
  std::string network = {};
  std::vector<LayerRecord> layers = {};
  int64_t parameters = 0;
  int64_t multiplications = 0;
  bool is_exact = true;                          ///< every value is fixed-point
  std::vector<QuantizerRecord> quantizers = {};  ///< of the model as it was imported

  template <class Visitor>
  void visit(Visitor& visitor) {
    visitor("network", network);
    visitor("layers", layers);
    visitor("parameters", parameters);
    visitor("multiplications", multiplications);
    visitor("is_exact", is_exact);
    visitor("quantizers", quantizers);
  }
};

/// What a part holds, or a circuit takes.
struct ResourcesRecord {
  int64_t lut = 0, ff = 0, dsp = 0, bram18 = 0;

  template <class Visitor>
  void visit(Visitor& visitor) {
    visitor("lut", lut);
    visitor("ff", ff);
    visitor("dsp", dsp);
    visitor("bram18", bram18);
  }
};

/// When one stage of the circuit works on a frame, at full input rate.
struct StageRecord {
  std::string name = {}, kind = {};
  int64_t first_in = 0;    ///< cycle of the first beat taken; the frame's first beat is cycle 0
  int64_t first_out = 0;   ///< cycle of the first beat given
  int64_t last_out = 0;    ///< cycle of the last beat given
  int64_t beats_out = 0;   ///< beats given, a frame
  double utilisation = 0;  ///< share of the cycles in which it takes or works on beats
  ResourcesRecord estimated = {};
  std::string limit = {};  ///< what keeps it from working more, where that is worth a word

  template <class Visitor>
  void visit(Visitor& visitor) {
    visitor("name", name);
    visitor("kind", kind);
    visitor("first_in", first_in);
    visitor("first_out", first_out);
    visitor("last_out", last_out);
    visitor("beats_out", beats_out);
    visitor("utilisation", utilisation);
    visitor("estimated", estimated);
    visitor("limit", limit);
  }
};

/// What a report needs of plan.json, which `compile` writes.
struct PlanRecord {
  static constexpr std::string_view Name = "plan";
  int64_t lanes = 0, rows = 1;  ///< pixels of a row, and rows, that arrive in a cycle
  int64_t latency_cycles = 0;   ///< first beat in to last beat out
  int64_t interval_cycles = 0;  ///< between frames at full rate
  double clock_ns = 0;
  std::string name = {};  ///< of the network, and of the circuit's top module
  std::string part = {};
  bool logits = false;  ///< the final sigmoid was left off
  ResourcesRecord estimated = {};
  std::vector<StageRecord> stages = {};

  double latency_ns() const { return static_cast<double>(latency_cycles) * clock_ns; }

  template <class Visitor>
  void visit(Visitor& visitor) {
    visitor("lanes", lanes);
    visitor("rows", rows);
    visitor("latency_cycles", latency_cycles);
    visitor("interval_cycles", interval_cycles);
    visitor("clock_ns", clock_ns);
    visitor("name", name);
    visitor("part", part);
    visitor("logits", logits);
    visitor("estimated", estimated);
    visitor("stages", stages);
  }
};

/// One point of a ROC curve.
struct RocRecord {
  double false_positive = 0, true_positive = 0;

  template <class Visitor>
  void visit(Visitor& visitor) {
    visitor("false_positive", false_positive);
    visitor("true_positive", true_positive);
  }
};

/// What `emulate` found.
struct EmulationRecord {
  static constexpr std::string_view Name = "emulate";
  int64_t images = 0;
  int64_t classes = 2;
  double accuracy = 0;
  double auc = 0;  ///< of two classes; 0 of more
  double images_per_second = 0;
  DataRecord source = {};
  std::vector<RocRecord> roc = {};

  template <class Visitor>
  void visit(Visitor& visitor) {
    visitor("images", images);
    visitor("classes", classes);
    visitor("accuracy", accuracy);
    visitor("auc", auc);
    visitor("images_per_second", images_per_second);
    visitor("source", source);
    visitor("roc", roc);
  }
};

/// One co-simulation: the same frames, arriving in one way.
struct SimulationRunRecord {
  std::string arrival = {};  ///< "back-to-back", "random-gaps", "alone"
  int64_t frames = 0;
  int64_t mismatches = 0;       ///< output elements that differ from the reference
  int64_t latency_cycles = 0;   ///< 0 where arrival leaves it open
  int64_t interval_cycles = 0;  ///< 0 where arrival leaves it open
  double seconds = 0;

  template <class Visitor>
  void visit(Visitor& visitor) {
    visitor("arrival", arrival);
    visitor("frames", frames);
    visitor("mismatches", mismatches);
    visitor("latency_cycles", latency_cycles);
    visitor("interval_cycles", interval_cycles);
    visitor("seconds", seconds);
  }
};

/// What `simulate` found.
struct SimulationRecord {
  static constexpr std::string_view Name = "cosim";
  int64_t frames = 0;      ///< in all runs together
  int64_t mismatches = 0;  ///< in all runs together
  int64_t latency_cycles = 0, scheduled_latency_cycles = 0;
  int64_t interval_cycles = 0, scheduled_interval_cycles = 0;
  std::string simulator = {};
  DataRecord source = {};  ///< unknown: random frames
  std::vector<SimulationRunRecord> runs = {};

  template <class Visitor>
  void visit(Visitor& visitor) {
    visitor("frames", frames);
    visitor("mismatches", mismatches);
    visitor("latency_cycles", latency_cycles);
    visitor("scheduled_latency_cycles", scheduled_latency_cycles);
    visitor("interval_cycles", interval_cycles);
    visitor("scheduled_interval_cycles", scheduled_interval_cycles);
    visitor("simulator", simulator);
    visitor("source", source);
    visitor("runs", runs);
  }
};

/// Shares of a part that a circuit uses: 0.02 is 2 %.
struct UtilisationRecord {
  double lut = 0, ff = 0, dsp = 0, bram18 = 0;

  template <class Visitor>
  void visit(Visitor& visitor) {
    visitor("lut", lut);
    visitor("ff", ff);
    visitor("dsp", dsp);
    visitor("bram18", bram18);
  }
};

/// What `synth` found.
struct SynthesisRecord {
  static constexpr std::string_view Name = "synth";
  int64_t lut = 0, ff = 0, dsp = 0, bram18 = 0, carry = 0;
  std::string part = {};
  UtilisationRecord utilisation = {};
  ResourcesRecord available = {};
  ResourcesRecord estimated = {};  ///< what `compile` predicted
  double seconds = 0;

  template <class Visitor>
  void visit(Visitor& visitor) {
    visitor("lut", lut);
    visitor("ff", ff);
    visitor("dsp", dsp);
    visitor("bram18", bram18);
    visitor("carry", carry);
    visitor("part", part);
    visitor("utilisation", utilisation);
    visitor("available", available);
    visitor("estimated", estimated);
    visitor("seconds", seconds);
  }
};

/// A record as JSON text, keys in the order of its fields, with a final newline.
/// Defined for every record above that has a Name.
template <class Record>
std::string to_json(const Record& record);

/// Reads what to_json() wrote. Keys that the record does not have are passed over; a field that
/// is missing keeps its default.
/// Errors   not JSON; a field of another type.
template <class Record>
Result<Record> parse_json(std::string_view json, const std::string& where);

}  // namespace millrace::report
