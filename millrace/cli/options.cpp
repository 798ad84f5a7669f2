// SPDX-License-Identifier: Apache-2.0
// The only file that includes CLI11, which takes long to compile.
#include "millrace/cli/options.h"

#include <CLI/CLI.hpp>
#include <functional>
#include <sstream>

#include "millrace/cli/exit_code.h"

namespace millrace::cli {
namespace {

// Without it, CLI11 reads -1 as a very large unsigned number.
CLI::Validator not_negative() {
  return CLI::Validator(CLI::NonNegativeNumber).description("");
}

void add_image_options(CLI::App& app, ImageOptions& images, const std::string& fallback) {
  app.add_option("--data", images.data,
                 "Labelled images: 'glyphs' (generated), a directory with IDX files, or "
                 "DIRECTORY/PREFIX" +
                     fallback)
      ->type_name("DIR|glyphs");
  app.add_option("--signal", images.signal, "Class to find")->type_name("CLASS");
  app.add_option("--background", images.background, "Class to tell it from")->type_name("CLASS");
  app.add_option("--data-seed", images.data_seed, "Seed of generated glyphs")
      ->type_name("N")
      ->check(not_negative())
      ->capture_default_str();
}

void add_training_options(CLI::App& app, TrainOptions& options) {
  app.add_option("--quantizer", options.quantizer,
                 "Number format of weights, biases and activations, or 'float'")
      ->type_name("TYPE")
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Seed of the training")
      ->type_name("N")
      ->check(not_negative())
      ->capture_default_str();
  app.add_option("--epochs", options.epochs, "Epochs of each phase (the trainer's choice if 0)")
      ->type_name("N");
  app.add_option("--sparsity", options.sparsity,
                 "Weight of the adders' number in training, 0 (off) to 100: higher is smaller")
      ->type_name("X")
      ->capture_default_str();
}

CLI::Option* add_adder_choice(CLI::App& app, std::string& adders) {
  return app
      .add_option("--adders", adders,
                  "Add two numbers in a row of LUTs, or three where that is smaller; auto: three "
                  "where the part can (UltraScale)")
      ->check(CLI::IsMember({"auto", "two-input", "three-input"}))
      ->capture_default_str();
}

void add_goals(CLI::App& app, CompileOptions& options) {
  app.add_option("--lanes", options.lanes,
                 "Pixels that arrive in a clock cycle: 1 to the width of a row, whole rows as "
                 "ROWSxWIDTH, or 'all' (default: a row; with a goal, what meets it)")
      ->type_name("N|ROWSxWIDTH|all");
  app.add_option("--latency", options.latency,
                 "Goal: from a frame's first beat to its result, at most: 300ns, 60cycles")
      ->type_name("TIME");
  app.add_option("--interval", options.interval,
                 "Goal: from frame to frame, at most: 25ns, 5cycles")
      ->type_name("TIME");
  app.add_option("--max-lut", options.max_lut, "Goal: LUTs by estimate, at most")->type_name("N");
}

void add_circuit_options(CLI::App& app, CompileOptions& options) {
  app.add_option("--part", options.part, "Device, by its full name")
      ->type_name("PART")
      ->capture_default_str();
  app.add_option("--clock", options.clock, "Clock period or frequency: 5ns, 200MHz")
      ->type_name("TIME")
      ->capture_default_str();
  add_goals(app, options);
  app.add_option("--effort", options.effort,
                 "Time spent on smaller multiplications, 0 to 9; each step takes about four times "
                 "as long")
      ->type_name("N")
      ->capture_default_str();
  app.add_flag("--logits", options.logits, "Leave off the final sigmoid");
  add_adder_choice(app, options.adders);
  app.add_option("--dsp", options.dsp,
                 "DSP blocks for products whose multipliers are shared over time: never; auto, "
                 "where a block saves as many LUTs as the part has for each; or prefer")
      ->check(CLI::IsMember({"never", "auto", "prefer"}))
      ->capture_default_str();
  app.add_option("--bram", options.bram,
                 "Block RAM for line buffers: never; auto, where a block of 18 Kbit saves as many "
                 "LUTs as the part has for each; or prefer")
      ->check(CLI::IsMember({"never", "auto", "prefer"}))
      ->capture_default_str();
  app.add_option("--overrides", options.overrides,
                 "Options of single layers (YAML): layers: {NAME: {effort, adders, phases, lanes, "
                 "dsp}}")
      ->type_name("FILE");
}

void add_train(CLI::App& app, TrainOptions& options) {
  app.add_option("network", options.network, "What to train: letters")
      ->required()
      ->type_name("NAME");
  options.images.data = "glyphs";
  add_image_options(app, options.images, " (default glyphs)");
  add_training_options(app, options);
  app.add_option("-o,--output", options.output, "Model to write")
      ->type_name("FILE")
      ->capture_default_str();
}

constexpr const char* ModelKinds =
    "ONNX or QONNX (.onnx), Keras, QKeras or HGQ (.h5, .keras, .json), model.mr or a build "
    "directory";

void add_model(CLI::App& app, std::filesystem::path& model, TypeOptions& types,
               const std::string& what) {
  app.add_option("model", model, what)->required()->type_name("MODEL");
  CLI::Option* quantize =
      app.add_option("--quantize", types.quantize,
                     "Types for a float model: one for everything, such as 'fixed<16,6>' or "
                     "'fixed<12,4,RND,SAT>', or a YAML file with hls4ml's keys")
          ->type_name("TYPE|FILE");
  app.add_option("--input-type", types.input_type,
                 "Type of the model's inputs, such as 'ufixed<8,0>', where it has none")
      ->type_name("TYPE");
  app.add_option("--weights", types.weights,
                 "Weights of a Keras model in JSON (default: STEM_weights.h5 or STEM.weights.h5 "
                 "beside it)")
      ->type_name("FILE");
  CLI::Option* calibrate =
      app.add_option("--calibrate", types.calibrate,
                     "Types for a float model from the ranges that these inputs cause (.npy, .pb)")
          ->type_name("FILE")
          ->excludes(quantize);
  app.add_option(
         "--accumulators", types.accumulators,
         "Sums within a layer are exact, or as in hls4ml's circuits: each product and each "
         "partial sum in accum_t, functions by hls4ml's tables, every result in its result_t")
      ->check(CLI::IsMember({"exact", "hls4ml"}))
      ->capture_default_str()
      ->excludes(calibrate);
  CLI::Option* width = app.add_option("--width", types.width, "Bits of every calibrated type")
                           ->type_name("N")
                           ->needs(calibrate)
                           ->capture_default_str();
  app.add_option("--error-budget", types.error_budget,
                 "Instead: the fewest bits whose largest error, as a part of the largest output, "
                 "is at most this")
      ->type_name("X")
      ->needs(calibrate)
      ->excludes(width);
}

void add_inspect(CLI::App& app, InspectOptions& options) {
  add_model(app, options.model, options.types, ModelKinds);
}

void add_run(CLI::App& app, RunOptions& options) {
  add_model(app, options.model, options.types, ModelKinds);
  app.add_option("--input", options.inputs,
                 "Numbers for the model's input: N samples or one (.npy, .pb); one file for each "
                 "input")
      ->required()
      ->type_name("FILE");
  app.add_option("--output", options.outputs,
                 "Array to write (.npy), one for each output; without, numbers are printed")
      ->type_name("FILE");
  app.add_option(
         "--layout", options.layout,
         "Maps in these files have channels last or first; auto: as an ONNX model has them, "
         "else as the shape says")
      ->check(CLI::IsMember({"auto", "hwc", "chw"}))
      ->capture_default_str();
  CLI::Option* raw =
      app.add_flag("--raw", options.raw, "Outputs as the integers of the circuit, not as numbers");
  app.add_flag("--float", options.as_float,
               "Run the model as its author's framework does, in double arithmetic")
      ->excludes(raw)
      ->excludes(app.get_option("--accumulators"));
}

void add_convert(CLI::App& app, ConvertOptions& options) {
  add_model(app, options.model, options.types, ModelKinds);
  app.add_option("-o,--output", options.output,
                 "File to write: .onnx (QONNX) or .mr (the graph as text)")
      ->required()
      ->type_name("FILE");
}

void add_compile(CLI::App& app, CompileOptions& options) {
  add_model(app, options.model, options.types, ModelKinds);
  add_circuit_options(app, options);
  app.add_option("-o,--output", options.output, "Build directory to write")
      ->type_name("DIR")
      ->capture_default_str();
}

constexpr const char* TrainingImages = " (default: what the model was trained with)";

void add_emulate(CLI::App& app, EmulateOptions& options) {
  add_model(app, options.model, options.types, ModelKinds);
  add_image_options(app, options.images, TrainingImages);
}

void add_simulate(CLI::App& app, SimulateOptions& options) {
  app.add_option("build", options.build, "Build directory")->required()->type_name("DIR");
  add_image_options(app, options.images,
                    "; 'random' is random frames" + std::string(TrainingImages));
  app.add_option("--frames", options.frames, "Frames to simulate; 0 is every test image")
      ->type_name("N")
      ->check(not_negative())
      ->capture_default_str();
  app.add_option("--arrival", options.arrivals,
                 "How beats arrive; several are simulated one after another")
      ->type_name("WAY")
      ->delimiter(',')
      ->check(CLI::IsMember({"back-to-back", "random-gaps", "alone"}))
      ->capture_default_str();
  app.add_option("--simulator", options.simulator, "What simulates the circuit")
      ->check(CLI::IsMember({"verilator", "icarus"}))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Seed of random gaps and random frames")
      ->type_name("N")
      ->check(not_negative())
      ->capture_default_str();
}

void add_synth(CLI::App& app, SynthOptions& options) {
  app.add_option("build", options.build, "Build directory")->required()->type_name("DIR");
}

void add_report(CLI::App& app, ReportOptions& options) {
  app.add_option("build", options.build, "Build directory")->required()->type_name("DIR");
}

void add_reproduce(CLI::App& app, ReproduceOptions& options) {
  app.add_option("network", options.train.network, "What to reproduce: letters")
      ->required()
      ->type_name("NAME");
  options.train.images.data = "glyphs";
  add_image_options(app, options.train.images, " (default glyphs)");
  add_training_options(app, options.train);
  add_circuit_options(app, options.compile);
  app.add_option("--frames", options.frames, "Frames of each co-simulation; 0 is every test image")
      ->type_name("N")
      ->check(not_negative())
      ->capture_default_str();
  app.add_option("-o,--output", options.compile.output, "Build directory to write")
      ->type_name("DIR")
      ->capture_default_str();
}

void add_adders(CLI::App& app, AddersOptions& options) {
  app.add_option("matrix", options.matrix, "Matrix of integers (.npy); its rows are the outputs")
      ->required()
      ->type_name("FILE");
  CLI::Option* range = app.add_option("--input-range", options.input_range,
                                      "Smallest and largest value of every input")
                           ->type_name("LO,HI")
                           ->capture_default_str();
  app.add_option("--input-ranges", options.input_ranges,
                 "The same for each input: an array of columns x 2 integers (.npy)")
      ->type_name("FILE")
      ->excludes(range);
  CLI::Option* max_depth = app.add_option("--max-depth", options.max_depth,
                                          "Adders on the longest way, at most (default: any)")
                               ->type_name("N");
  app.add_option("--extra-depth", options.extra_depth,
                 "The same, counted from the minimum: 0 is the minimum")
      ->type_name("N")
      ->excludes(max_depth);
  app.add_option("--effort", options.effort,
                 "0 to 9; each step searches several times as long as the one below")
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Seed of the search")
      ->type_name("N")
      ->check(not_negative())
      ->capture_default_str();
  CLI::Option* clock =
      app.add_option("--clock", options.clock,
                     "Clock period or frequency to pipeline for: 3ns, 300MHz (default: no "
                     "registers)")
          ->type_name("TIME");
  app.add_option("--part", options.part, "Device whose delays count, by its full name")
      ->type_name("PART")
      ->capture_default_str();
  add_adder_choice(app, options.adders)->needs(clock);
  app.add_option("--verilog", options.verilog, "SystemVerilog file to write")->type_name("FILE");
}

/// Adds the subcommand that fills one alternative of Command.
template <class Options>
void add_command(CLI::App& app, CommandLine& line, void (*add_options)(CLI::App&, Options&),
                 const std::string& name, const std::string& what, const std::string& example) {
  CLI::App* command = app.add_subcommand(name, what);
  command->footer("Example:\n  millrace " + example);
  command->add_flag("--json", line.json, "One JSON object on standard output");
  auto options = std::make_shared<Options>();
  add_options(*command, *options);
  command->callback([&line, options] { line.command = *options; });
}

void add_commands(CLI::App& app, CommandLine& line) {
  add_command(app, line, add_train, "train",
              "Train a network with quantised numbers; write it as QONNX",
              "train letters --data glyphs --quantizer 'fixed<9,5>' -o letters.onnx");
  add_command(app, line, add_inspect, "inspect", "List a model's layers, types and costs",
              "inspect letters.onnx");
  add_command(app, line, add_compile, "compile", "Turn a model into a streaming circuit",
              "compile letters.onnx --part xcku115-flvb2104-2-i --clock 5ns --lanes 28 -o out\n"
              "  millrace compile letters.onnx --latency 300ns --interval 30cycles\n"
              "  millrace compile letters.onnx --max-lut 20000 --overrides layers.yaml");
  add_command(app, line, add_emulate, "emulate",
              "Run the exact network on test images: accuracy, AUC, ROC",
              "emulate out --data glyphs");
  add_command(app, line, add_run, "run", "Compute a model's outputs for given inputs, bit for bit",
              "run letters.onnx --input x.npy --output y.npy\n"
              "  millrace run float.onnx --quantize 'fixed<16,6>' --input x.npy\n"
              "  millrace run float.onnx --float --input x.npy --output framework.npy");
  add_command(app, line, add_convert, "convert", "Write a model as QONNX, or as text",
              "convert model.mr -o model.onnx");
  add_command(app, line, add_simulate, "simulate",
              "Co-simulate the circuit: the same bits, the scheduled cycles",
              "simulate out --frames 200 --arrival back-to-back,random-gaps");
  add_command(app, line, add_synth, "synth", "Map the circuit with Yosys: area against the part",
              "synth out");
  add_command(app, line, add_report, "report", "Write report.html and report.json", "report out");
  add_command(app, line, add_reproduce, "reproduce",
              "Train, compile, emulate, co-simulate, synthesise and report, beside the published "
              "figures",
              "reproduce letters --lanes 28 -o out");
  add_command(app, line, add_adders, "adders",
              "Multiply by a constant matrix with shifts and adders",
              "adders matrix.npy --input-range -128,127 --clock 3ns --verilog out.sv");
}

}  // namespace

std::variant<CommandLine, EarlyExit> parse_command_line(int argc, const char* const* argv) {
  CommandLine line;
  CLI::App app(
      "Compiles trained, quantised neural networks into streaming FPGA circuits, exact "
      "to the bit and to the cycle.",
      "millrace");
  app.set_version_flag("--version", "millrace " MILLRACE_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 done, 1 something in your hands is wrong (a diagnostic says what), "
      "2 wrong usage,\n3 a fault of Millrace, 130 stopped by Ctrl-C.\n\n"
      "Begin with:\n  millrace reproduce letters");
  add_commands(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    std::ostringstream output, errors;
    const int code = app.exit(problem, output, errors);
    return EarlyExit{code == 0 ? Done : WrongUsage, output.str(), errors.str()};
  }
  return line;
}

}  // namespace millrace::cli
