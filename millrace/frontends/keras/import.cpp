// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/keras/import.h"

#include <array>

#include "millrace/frontends/keras/archive.h"
#include "millrace/frontends/keras/hdf5_file.h"
#include "millrace/frontends/keras/importer.h"
#include "millrace/frontends/keras/messages.h"
#include "millrace/frontends/keras/model.h"
#include "millrace/frontends/keras/weights.h"
#include "millrace/support/files.h"
#include "millrace/support/rehearsal.h"

namespace millrace::frontends {
namespace {

using namespace keras;
namespace fs = std::filesystem;

constexpr uint64_t MaxConfigBytes = uint64_t{1} << 28;
constexpr uint64_t MaxWeightBytes = uint64_t{1} << 32;

/// Opens an HDF5 file; what is missing or no file at all is told before the library sees it.
Result<Hdf5File> open_hdf5(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored))
    MR_TRY_STATUS(read_file(path));
  return Hdf5File::open(path);
}

/// An archive: config.json, metadata.json and model.weights.h5.
Result<graph::Graph> import_archive(std::string_view bytes, const std::string& file) {
  MR_TRY(const Archive archive, Archive::open(bytes, file));
  MR_TRY(const auto config, archive.read("config.json", MaxConfigBytes));
  if (!config)
    return error(messages::ArchiveMember, file, "config.json");
  MR_TRY(const Json json, parse_json(*config, file + ": config.json"));
  MR_TRY(const auto metadata, archive.read("metadata.json", MaxConfigBytes));
  Dialect dialect = Dialect::Unknown;
  if (metadata) {
    MR_TRY(const Json versions, parse_json(*metadata, file + ": metadata.json"));
    if (versions.is_object() && versions.contains("keras_version") &&
        versions["keras_version"].is_string())
      dialect = dialect_of(versions["keras_version"].get<std::string>());
  }
  MR_TRY(const Model model, read_model(json, dialect, file));
  if (!needs_weights(model))
    return translate(model, nullptr);
  MR_TRY(const auto numbers, archive.read("model.weights.h5", MaxWeightBytes));
  if (!numbers)
    return error(messages::ArchiveMember, file, "model.weights.h5");
  MR_TRY(Hdf5File hdf5, Hdf5File::open_bytes(*numbers, file + ": model.weights.h5"));
  MR_TRY(const Weights weights, Weights::open(std::move(hdf5), model));
  return translate(model, &weights);
}

/// An HDF5 file with the attribute model_config.
Result<graph::Graph> import_hdf5(Hdf5File hdf5) {
  const std::string file = hdf5.file();
  MR_TRY(const auto config, hdf5.text("", "model_config"));
  if (!config)
    return error(messages::NoConfig, file);
  MR_TRY(const auto version, hdf5.text("", "keras_version"));
  MR_TRY(const Json json, parse_json(*config, file));
  MR_TRY(const Model model,
         read_model(json, version ? dialect_of(*version) : Dialect::Unknown, file));
  if (!needs_weights(model))
    return translate(model, nullptr);
  MR_TRY(const Weights weights, Weights::open(std::move(hdf5), model));
  return translate(model, &weights);
}

/// A configuration, with its weights in another file.
Result<graph::Graph> import_json(const fs::path& path, const std::optional<fs::path>& given) {
  MR_TRY(const std::string text, read_file(path, MaxConfigBytes));
  MR_TRY(const Json json, parse_json(text, path.string()));
  MR_TRY(const Model model, read_model(json, Dialect::Unknown, path.string()));
  if (!needs_weights(model))
    return translate(model, nullptr);
  std::optional<fs::path> file = given;
  std::error_code ignored;
  for (const char* const suffix : {"_weights.h5", ".weights.h5", ".h5"}) {
    const fs::path beside = path.parent_path() / (path.stem().string() + suffix);
    if (!file && fs::is_regular_file(beside, ignored))
      file = beside;
  }
  if (!file) {
    const std::string stem = path.stem().string();
    return error(messages::NoWeightsFile, path.string(),
                 fmt::format("{0}_weights.h5 nor {0}.weights.h5", stem));
  }
  MR_TRY(Hdf5File hdf5, open_hdf5(*file));
  MR_TRY(const Weights weights, Weights::open(std::move(hdf5), model));
  return translate(model, &weights);
}

/// libhdf5 reads beyond its buffers in some damaged files. A copy of the process reads the file
/// first, and dies of it instead.
template <class Import>
Result<graph::Graph> rehearsed(const std::string& file, const Import& import) {
  if (!survives([&] { (void)import(); }))
    return error(messages::Damaged, file);
  return import();
}

Result<graph::Graph> import_whole_hdf5(Result<Hdf5File> opened) {
  MR_TRY(Hdf5File hdf5, std::move(opened));
  return import_hdf5(std::move(hdf5));
}

}  // namespace

Result<graph::Graph> import_keras_bytes(std::string_view bytes, const std::string& file) {
  if (is_archive(bytes))
    return rehearsed(file, [&] { return import_archive(bytes, file); });
  if (!is_hdf5(bytes))
    return error(messages::NotKeras, file);
  return rehearsed(file, [&] { return import_whole_hdf5(Hdf5File::open_bytes(bytes, file)); });
}

Result<graph::Graph> import_keras(const fs::path& model, const std::optional<fs::path>& weights) {
  if (model.extension() == ".json")
    return rehearsed(model.string(), [&] { return import_json(model, weights); });
  if (model.extension() == ".keras") {
    MR_TRY(const std::string bytes, read_file(model, MaxWeightBytes));
    return import_keras_bytes(bytes, model.string());
  }
  return rehearsed(model.string(), [&] { return import_whole_hdf5(open_hdf5(model)); });
}

}  // namespace millrace::frontends
