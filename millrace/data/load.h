// SPDX-License-Identifier: Apache-2.0
// Where labelled images come from: IDX files on disk, or the glyph generator.
#pragma once

#include <string>

#include "millrace/data/glyphs.h"
#include "millrace/data/image_set.h"
#include "millrace/support/diagnostics.h"

namespace millrace::data {

/// Loads the images of two classes, in the order of the files.
///
/// `source` is "glyphs" (the generator), a directory that holds one data set, or DIRECTORY/PREFIX.
/// A data set is four IDX files, gzipped or not, recognised by their names:
///
///     emnist-NAME-train-images-idx3-ubyte.gz   EMNIST: stored transposed, returned upright;
///                                              in emnist-letters A to Z (or a to z) are 1 to 26
///     train-images-idx3-ubyte.gz, t10k-...     MNIST
///     PREFIX-train-images-idx3-ubyte.gz        anything else; classes 1 and 2 unless named
///
/// with -labels-idx1- for -images-idx3- and -test- for -train-. Every class may be called by its
/// numeric label. The glyphs' classes are "gamma" (1, the signal unless named) and "perp" (2).
///
/// Errors   a path that is not there, no data set or several; a damaged file; labels and images
///          of different counts; a class without images; the same class twice.
Result<DataSet> load_images(const std::string& source, const std::string& signal = {},
                            const std::string& background = {}, const GlyphOptions& glyphs = {});

/// Loads the images of all classes that a data set's files have. Labels are ranks: 0 for the class
/// with the lowest number that occurs, and so on; DataSet::classes names them.
/// Errors   as load_images(); "glyphs" has two classes; a test image of a class that has no
///          training image.
Result<DataSet> load_all_classes(const std::string& source);

}  // namespace millrace::data
