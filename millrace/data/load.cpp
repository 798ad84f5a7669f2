// SPDX-License-Identifier: Apache-2.0
#include "millrace/data/load.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <fmt/format.h>
#include <optional>
#include <set>
#include <string_view>

#include "millrace/data/idx.h"
#include "millrace/data/image_files.h"
#include "millrace/data/messages.h"

namespace millrace::data {
namespace {

/// Images of all classes with their labels, upright.
struct LabelledImages {
  IdxImages images;
  std::vector<uint8_t> labels;
};

/// The two labels asked for.
struct ClassPair {
  uint8_t signal;
  uint8_t background;
};

IdxImages transpose(const IdxImages& stored) {
  IdxImages upright{stored.count, stored.width, stored.height, {}};
  upright.pixels.resize(stored.pixels.size());
  for (int64_t i = 0; i < stored.count; ++i) {
    const int64_t start = i * stored.height * stored.width;
    for (int64_t row = 0; row < upright.height; ++row)
      for (int64_t column = 0; column < upright.width; ++column)
        upright.pixels[start + row * upright.width + column] =
            stored.pixels[start + column * stored.width + row];
  }
  return upright;
}

Result<LabelledImages> read_labelled(const std::filesystem::path& images_path,
                                     const std::filesystem::path& labels_path, bool transposed) {
  LabelledImages read;
  MR_TRY(read.images, read_idx_images(images_path));
  MR_TRY(read.labels, read_idx_labels(labels_path));
  if (std::ssize(read.labels) != read.images.count)
    return error(messages::CountsDiffer, labels_path.string(), read.labels.size(),
                 read.images.count);
  if (transposed)
    read.images = transpose(read.images);
  return read;
}

std::string class_name(uint8_t label, ClassNames names) {
  if (names == ClassNames::Letters && label >= 1 && label <= 26)
    return std::string(1, static_cast<char>('A' + label - 1));
  return fmt::format("{}", label);
}

/// The names of all classes that have an image.
std::string list_classes(const std::vector<uint8_t>& labels, ClassNames names) {
  std::vector<std::string> found;
  for (uint8_t label : std::set<uint8_t>(labels.begin(), labels.end()))
    found.push_back(class_name(label, names));
  return fmt::format("{}", fmt::join(found, ", "));
}

/// The label that a class name stands for, whether or not it occurs.
std::optional<uint8_t> parse_class(std::string_view name, ClassNames names) {
  if (names == ClassNames::Letters && name.size() == 1) {
    const int letter = std::toupper(static_cast<unsigned char>(name[0]));
    if (letter >= 'A' && letter <= 'Z')
      return static_cast<uint8_t>(letter - 'A' + 1);
  }
  uint8_t label = 0;
  const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), label);
  if (failure != std::errc{} || end != name.data() + name.size())
    return std::nullopt;
  return label;
}

Result<uint8_t> find_class(const std::string& name, ClassNames names, const LabelledImages& train,
                           const LabelledImages& test, const std::string& where) {
  const std::optional<uint8_t> label = parse_class(name, names);
  if (!label || !std::ranges::count(train.labels, *label))
    return error(messages::NoSuchClass, where, "training", name, list_classes(train.labels, names));
  if (!std::ranges::count(test.labels, *label))
    return error(messages::NoSuchClass, where, "test", name, list_classes(test.labels, names));
  return *label;
}

ImageSet select(const LabelledImages& from, const ClassPair& classes) {
  ImageSet set{from.images.height, from.images.width, {}, {}};
  const int64_t size = set.height * set.width;
  for (int64_t i = 0; i < from.images.count; ++i) {
    const uint8_t label = from.labels[i];
    if (label != classes.signal && label != classes.background)
      continue;
    const auto begin = from.images.pixels.begin() + i * size;
    set.pixels.insert(set.pixels.end(), begin, begin + size);
    set.labels.push_back(label == classes.signal);
  }
  return set;
}

/// The four files of a data set.
struct LoadedFiles {
  ImageFiles files;
  LabelledImages train, test;
};

Result<LoadedFiles> read_files(const std::string& source) {
  LoadedFiles read;
  MR_TRY(read.files, find_image_files(source));
  const ImageFiles& files = read.files;
  MR_TRY(read.train, read_labelled(files.train_images, files.train_labels, files.transposed));
  MR_TRY(read.test, read_labelled(files.test_images, files.test_labels, files.transposed));
  const IdxImages &train = read.train.images, &test = read.test.images;
  if (train.height != test.height || train.width != test.width)
    return error(messages::SizesDiffer, files.test_images.string(), train.height, train.width,
                 test.height, test.width);
  return read;
}

Result<DataSet> load_files(const std::string& source, std::string signal, std::string background) {
  MR_TRY(const LoadedFiles read, read_files(source));
  const auto& [files, train, test] = read;
  if (signal.empty())
    signal = files.default_signal;
  if (background.empty())
    background = files.default_background;
  if (signal.empty() || background.empty())
    return error(messages::ClassNotNamed, source, list_classes(train.labels, files.class_names));
  ClassPair classes{};
  MR_TRY(classes.signal, find_class(signal, files.class_names, train, test, source));
  MR_TRY(classes.background, find_class(background, files.class_names, train, test, source));
  if (classes.signal == classes.background)
    return error(messages::SameClass, source, signal);
  return DataSet{files.name, class_name(classes.signal, files.class_names),
                 class_name(classes.background, files.class_names), select(train, classes),
                 select(test, classes)};
}

/// Turns the two classes round where the user asked for ⊥ as the signal.
void swap_classes(DataSet& set) {
  std::swap(set.signal, set.background);
  for (ImageSet* images : {&set.train, &set.test})
    for (uint8_t& label : images->labels)
      label ^= 1;
}

Result<DataSet> load_glyphs(const std::string& signal, const std::string& background,
                            const GlyphOptions& options) {
  const auto find = [](const std::string& name, int otherwise) -> Result<int> {
    if (name.empty())
      return otherwise;
    if (name == "gamma" || name == "Γ" || name == "1")
      return 1;
    if (name == "perp" || name == "⊥" || name == "2")
      return 2;
    return error(messages::NoSuchClass, "glyphs", "generated", name, "gamma, perp");
  };
  MR_TRY(const int background_label, find(background, signal.empty() ? 2 : 0));
  MR_TRY(const int signal_label, find(signal, background_label ? 3 - background_label : 1));
  if (signal_label == background_label)
    return error(messages::SameClass, "glyphs", signal_label == 1 ? "gamma" : "perp");
  DataSet set = make_glyphs(options);
  if (signal_label == 2)
    swap_classes(set);
  return set;
}

}  // namespace

Result<DataSet> load_images(const std::string& source, const std::string& signal,
                            const std::string& background, const GlyphOptions& glyphs) {
  if (source == "glyphs")
    return load_glyphs(signal, background, glyphs);
  return load_files(source, signal, background);
}

Result<DataSet> load_all_classes(const std::string& source) {
  MR_TRY(LoadedFiles read, read_files(source));
  const std::set<uint8_t> labels(read.train.labels.begin(), read.train.labels.end());
  DataSet set{.name = read.files.name, .signal = {}, .background = {}, .train = {}, .test = {}};
  std::array<uint8_t, 256> ranks{};
  for (const uint8_t label : labels) {
    ranks.at(label) = static_cast<uint8_t>(set.classes.size());
    set.classes.push_back(class_name(label, read.files.class_names));
  }
  for (const uint8_t label : read.test.labels)
    if (!labels.contains(label))
      return error(messages::NoSuchClass, source, "training",
                   class_name(label, read.files.class_names),
                   list_classes(read.train.labels, read.files.class_names));
  const auto ranked = [&](LabelledImages& from) {
    for (uint8_t& label : from.labels)
      label = ranks.at(label);
    return ImageSet{from.images.height, from.images.width, std::move(from.images.pixels),
                    std::move(from.labels)};
  };
  set.train = ranked(read.train);
  set.test = ranked(read.test);
  return set;
}

}  // namespace millrace::data
