// SPDX-License-Identifier: Apache-2.0
#include "millrace/train/fit.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <torch/torch.h>

#include "millrace/data/metrics.h"
#include "millrace/support/check.h"
#include "millrace/train/adder_cost.h"
#include "millrace/train/augment.h"

namespace millrace::train {
namespace {

namespace F = torch::nn::functional;
using Tensors = std::vector<torch::Tensor>;  // in the order of LetterNetwork::Slots

constexpr int64_t BatchSize = 32;
constexpr double ValidationShare = 0.2;
constexpr double FloatLearningRate = 3e-3;
constexpr double QuantisedLearningRate = 1e-3;
// Weights are averaged over about the last 50 steps: smoother than single steps, above all where
// a straight-through estimator makes them jump between two raw values.
constexpr double AverageDecay = 0.98;
// Sparsity is there in full after this share of the quantised phase: weights move little later.
constexpr double RampShare = 0.2;
// What validation AUC may differ by between epochs of which the one with the fewest adders is kept:
// a small part of its own uncertainty.
constexpr double AucTolerance = 0.005;

/// Fake quantisation with a straight-through estimator: rounds half to even and saturates forward;
/// backward, the gradient passes where the input was in range and stops elsewhere.
class FakeQuantize : public torch::autograd::Function<FakeQuantize> {
public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& x,
                               double step, double min_raw, double max_raw) {
    const torch::Tensor raw = x / step;  // a power of two: exact
    context->save_for_backward({raw.ge(min_raw).logical_and_(raw.le(max_raw))});
    return raw.round().clamp_(min_raw, max_raw).mul_(step);
  }
  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* context,
                                               const torch::autograd::tensor_list& gradients) {
    const torch::Tensor in_range = context->get_saved_variables()[0];
    return {gradients[0] * in_range, {}, {}, {}};
  }
};

torch::Tensor quantize(const torch::Tensor& x, const Quantizer& quantizer) {
  const FixedType& type = quantizer.type;
  return FakeQuantize::apply(x, std::ldexp(1.0, -type.frac_bits),
                             static_cast<double>(type.min_raw()),
                             static_cast<double>(type.max_raw()));
}

/// The network itself. Images: N x 1 x 28 x 28; the result: N logits.
torch::Tensor forward(const Tensors& parameters, const std::optional<QuantizerSpec>& quantizer,
                      const torch::Tensor& images) {
  const auto weights = [&](size_t slot) {
    return quantizer ? quantize(parameters[slot], quantizer->weights()) : parameters[slot];
  };
  const auto activation = [&](const torch::Tensor& x) {
    return quantizer ? quantize(x.relu(), quantizer->activations()) : x.relu();
  };
  // Parameters are in graph layout: KH x KW x C x F there, F x C x KH x KW here.
  const auto kernel = [&](size_t slot) { return weights(slot).permute({3, 2, 0, 1}); };
  torch::Tensor x = torch::conv2d(images, kernel(0), weights(1));
  // Rounding and ReLU are monotonic: behind the pooling they give the same and cost a quarter.
  x = activation(torch::max_pool2d(x, 2));
  x = activation(torch::max_pool2d(torch::conv2d(x, kernel(2), weights(3)), 2));
  x = x.permute({0, 2, 3, 1}).reshape({images.size(0), -1});
  x = activation(torch::addmm(weights(5), x, weights(4)));
  x = torch::addmm(weights(7), x, weights(6)).squeeze(1);
  return quantizer ? quantize(x, quantizer->weights()) : x;
}

torch::Tensor to_tensor(const data::ImageSet& images, torch::ScalarType type) {
  const torch::Tensor pixels =
      torch::from_blob(const_cast<uint8_t*>(images.pixels.data()),
                       {images.count(), 1, images.height, images.width}, torch::kUInt8);
  return pixels.to(type) * std::ldexp(1.0, -LetterNetwork::PixelBits);
}

std::vector<double> to_vector(const torch::Tensor& tensor) {
  const torch::Tensor values = tensor.detach().to(torch::kFloat64).contiguous();
  return {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()};
}

Tensors to_tensors(const LetterParameters& parameters) {
  Tensors tensors;
  for (const FloatTensor& parameter : parameters)
    tensors.push_back(torch::tensor(parameter.data, torch::kFloat64)
                          .reshape(std::vector<int64_t>(parameter.shape)));
  return tensors;
}

/// He's initialisation (uniform), from our own generator; biases are 0.
Tensors initial_tensors(std::mt19937_64& random) {
  Tensors tensors;
  for (const LetterNetwork::Slot& slot : LetterNetwork::Slots) {
    const Shape shape = LetterNetwork::shape(slot);
    std::vector<float> values(num_elements(shape), 0.0f);
    if (shape.size() > 1) {
      const double bound = std::sqrt(6.0 / static_cast<double>(num_elements(shape) / shape.back()));
      for (float& value : values)
        value = static_cast<float>(uniform(random, -bound, bound));
    }
    tensors.push_back(torch::tensor(values).reshape(shape).set_requires_grad(true));
  }
  return tensors;
}

struct Split {
  data::ImageSet fit;
  data::ImageSet validation;
};

void shuffle(std::vector<int64_t>& indices, std::mt19937_64& random) {
  for (size_t i = indices.size(); i > 1; --i)
    std::swap(indices[i - 1], indices[below(random, i)]);
}

/// Sets ValidationShare of each class aside.
Split split(const data::ImageSet& images, std::mt19937_64& random) {
  Split parts;
  parts.fit.height = parts.validation.height = images.height;
  parts.fit.width = parts.validation.width = images.width;
  for (const uint8_t label : {uint8_t{1}, uint8_t{0}}) {
    std::vector<int64_t> indices;
    for (int64_t i = 0; i < images.count(); ++i)
      if (images.labels[i] == label)
        indices.push_back(i);
    shuffle(indices, random);
    const auto validations =
        static_cast<size_t>(ValidationShare * static_cast<double>(indices.size()));
    for (size_t i = 0; i < indices.size(); ++i) {
      data::ImageSet& part = i < validations ? parts.validation : parts.fit;
      const uint8_t* const image = images.image(indices[i]);
      part.pixels.insert(part.pixels.end(), image, image + images.height * images.width);
      part.labels.push_back(label);
    }
  }
  return parts;
}

/// The training images of one epoch: in random order, each changed a little.
data::ImageSet next_epoch(const data::ImageSet& images, std::mt19937_64& random) {
  std::vector<int64_t> order(images.count());
  std::iota(order.begin(), order.end(), int64_t{0});
  shuffle(order, random);
  const auto size = static_cast<size_t>(images.height * images.width);
  data::ImageSet epoch{images.height, images.width, {}, {}};
  epoch.pixels.resize(images.pixels.size());
  for (size_t i = 0; i < order.size(); ++i) {
    augment({images.image(order[i]), size}, {epoch.pixels.data() + i * size, size}, images.height,
            images.width, Augmentation{}, random);
    epoch.labels.push_back(images.labels[order[i]]);
  }
  return epoch;
}

LetterParameters to_parameters(const Tensors& tensors,
                               const std::optional<QuantizerSpec>& quantizer) {
  LetterParameters parameters;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const torch::Tensor exact = tensors[i].detach().to(torch::kFloat64);
    parameters[i] = {LetterNetwork::shape(LetterNetwork::Slots[i]),
                     to_vector(quantizer ? quantize(exact, quantizer->weights()) : exact)};
  }
  return parameters;
}

/// What the adders of a network may come to cost, as a differentiable function of its parameters:
/// digit_prices(), interpolated at each weight, as a share of what they cost at first.
class AdderPenalty {
public:
  AdderPenalty(const Tensors& parameters, const QuantizerSpec& quantizer) {
    const FixedType type = quantizer.weights().type;
    step_ = std::ldexp(1.0, -type.frac_bits);
    max_raw_ = static_cast<double>(-type.min_raw());
    prices_ = torch::tensor(digit_prices(static_cast<int64_t>(-type.min_raw())), torch::kFloat32);
    torch::NoGradGuard no_gradients;
    first_ = std::max(price(parameters).item<double>(), 1.0);
  }

  torch::Tensor operator()(const Tensors& parameters) const { return price(parameters) / first_; }

private:
  torch::Tensor price(const Tensors& parameters) const {
    torch::Tensor total = torch::zeros({});
    for (size_t slot = 0; slot < parameters.size(); ++slot) {
      if (DigitRepeats[slot] == 0)
        continue;
      const torch::Tensor raw = (parameters[slot].abs() / step_).clamp_max(max_raw_).flatten();
      const torch::Tensor below = raw.detach().floor();
      const torch::Tensor index = below.to(torch::kInt64);
      const torch::Tensor low = prices_.index_select(0, index);
      const torch::Tensor rise = prices_.index_select(0, index + 1) - low;
      total = total + (low + rise * (raw - below)).sum() * DigitRepeats[slot];
    }
    return total;
  }

  double step_ = 1, max_raw_ = 0, first_ = 1;
  torch::Tensor prices_;
};

Tensors copy(const Tensors& tensors) {
  Tensors copies;
  for (const torch::Tensor& tensor : tensors)
    copies.push_back(tensor.detach().clone());
  return copies;
}

/// One phase of training; returns the averaged parameters of its best epoch.
class Phase {
public:
  Phase(const Split& images, const FitOptions& options, std::optional<QuantizerSpec> quantizer,
        double learning_rate)
      : images_(images),
        options_(options),
        quantizer_(quantizer),
        learning_rate_(learning_rate),
        validation_(to_tensor(images.validation, torch::kFloat32)),
        validation_labels_(labels(images.validation)) {
    const auto signals = static_cast<double>(std::ranges::count(images.fit.labels, uint8_t{1}));
    signal_weight_ = (static_cast<double>(images.fit.count()) - signals) / signals;
  }

  Tensors run(Tensors parameters, std::mt19937_64& random) {
    for (torch::Tensor& parameter : parameters)
      parameter.set_requires_grad(true);
    if (quantizer_ && options_.sparsity > 0)
      penalty_.emplace(parameters, *quantizer_);
    Tensors average = copy(parameters);
    std::vector<EpochScore> scores;
    std::vector<Tensors> checkpoints;
    torch::optim::Adam optimizer(parameters, torch::optim::AdamOptions(learning_rate_));
    step_ = 0;
    for (int epoch = 1; epoch <= options_.epochs; ++epoch) {
      train_epoch(next_epoch(images_.fit, random), parameters, average, optimizer);
      scores.push_back(validate(average));
      checkpoints.push_back(copy(average));
      if (options_.on_epoch)
        options_.on_epoch(
            {quantizer_ ? "quantised" : "float", epoch, options_.epochs, scores.back().auc});
    }
    return checkpoints[choose_epoch(scores, penalty_ ? AucTolerance : 0.0)];
  }

private:
  static torch::Tensor labels(const data::ImageSet& images) {
    return torch::tensor(std::vector<float>(images.labels.begin(), images.labels.end()));
  }

  torch::Tensor loss(const torch::Tensor& logits, const torch::Tensor& truth) const {
    return F::binary_cross_entropy_with_logits(
        logits, truth,
        F::BinaryCrossEntropyWithLogitsFuncOptions().pos_weight(
            torch::tensor(static_cast<float>(signal_weight_))));
  }

  /// The weight of the adders rises from nothing to all of options_.sparsity over RampShare of the
  /// phase, so that the network finds its way with quantisers first.
  torch::Tensor penalty(const AdderPenalty& adders, const Tensors& parameters, double done) const {
    return adders(parameters) * (options_.sparsity * std::min(done / RampShare, 1.0));
  }

  void train_epoch(const data::ImageSet& epoch, const Tensors& parameters, Tensors& average,
                   torch::optim::Adam& optimizer) {
    const torch::Tensor images = to_tensor(epoch, torch::kFloat32), truth = labels(epoch);
    const int64_t batches = (epoch.count() + BatchSize - 1) / BatchSize;
    const auto total = static_cast<double>(batches * options_.epochs);
    for (int64_t batch = 0; batch < batches; ++batch, ++step_) {
      // Half a cosine, from the full rate to nothing.
      const double rate =
          learning_rate_ * 0.5 * (1 + std::cos(M_PI * static_cast<double>(step_) / total));
      static_cast<torch::optim::AdamOptions&>(optimizer.param_groups()[0].options()).lr(rate);
      const int64_t from = batch * BatchSize;
      const int64_t to = std::min(from + BatchSize, epoch.count());
      optimizer.zero_grad();
      torch::Tensor target = loss(forward(parameters, quantizer_, images.slice(0, from, to)),
                                  truth.slice(0, from, to));
      if (penalty_)
        target = target + penalty(*penalty_, parameters, static_cast<double>(step_) / total);
      target.backward();
      optimizer.step();
      torch::NoGradGuard no_gradients;
      const auto step = static_cast<double>(step_);
      const double keep = std::min(AverageDecay, (1 + step) / (10 + step));
      for (size_t i = 0; i < average.size(); ++i)
        average[i].lerp_(parameters[i], 1 - keep);
    }
  }

  EpochScore validate(const Tensors& parameters) const {
    torch::NoGradGuard no_gradients;
    const torch::Tensor logits = forward(parameters, quantizer_, validation_);
    const auto auc = data::auc(to_vector(logits), images_.validation.labels);
    check(auc.has_value(), "both classes are in the validation split");
    const double cost =
        penalty_ ? adder_cost(to_parameters(parameters, quantizer_), *quantizer_) : 0;
    return {*auc, loss(logits, validation_labels_).item<double>(), cost};
  }

  const Split& images_;
  const FitOptions& options_;
  std::optional<QuantizerSpec> quantizer_;
  double learning_rate_;
  torch::Tensor validation_, validation_labels_;
  std::optional<AdderPenalty> penalty_;
  double signal_weight_ = 1;
  int64_t step_ = 0;
};

}  // namespace

FittedNetwork fit_letters(const data::ImageSet& train, const FitOptions& options) {
  torch::set_num_threads(1);
  std::mt19937_64 random(options.seed);
  const Split images = split(train, random);
  const Tensors trained =
      Phase(images, options, std::nullopt, FloatLearningRate).run(initial_tensors(random), random);
  FittedNetwork fitted;
  fitted.float_parameters = to_parameters(trained, std::nullopt);
  if (!options.quantizer) {
    fitted.quantised_parameters = fitted.float_parameters;
    return fitted;
  }
  const Tensors quantised =
      Phase(images, options, options.quantizer, QuantisedLearningRate).run(copy(trained), random);
  fitted.quantised_parameters = to_parameters(quantised, options.quantizer);
  return fitted;
}

std::vector<double> forward_letters(const LetterParameters& parameters,
                                    const std::optional<QuantizerSpec>& quantizer,
                                    const data::ImageSet& images) {
  torch::set_num_threads(1);
  torch::NoGradGuard no_gradients;
  return to_vector(forward(to_tensors(parameters), quantizer, to_tensor(images, torch::kFloat64)));
}

}  // namespace millrace::train
