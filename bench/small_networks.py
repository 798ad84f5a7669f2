# SPDX-License-Identifier: Apache-2.0
"""Small networks as text (.mr), with weights drawn by seed, for measurements over many of them."""
import random

HEAD = "// SPDX-License-Identifier: Apache-2.0\n"


def narrowest(low, high, frac):
    """The narrowest type of raw integers from low to high."""
    signed = low < 0
    width = max(1, high.bit_length(), (-low - 1).bit_length() if signed else 0) + signed
    return f"{'' if signed else 'u'}fixed<{width},{width - frac}>"


def pair(n):
    return f"[{n}, {n}]"


class Network:
    """A network of layers one behind the other; `value` is the last one's result."""

    def __init__(self, name, seed, shape, bits=8):
        self.name, self.draw, self.lines = name, random.Random(seed), []
        self.shape, self.low, self.high, self.frac = list(shape), 0, 2**bits - 1, bits
        self.value = "%x"
        self.lines.append(f"%x = input : tensor<{self._sizes()} x ufixed<{bits},0>>")

    def conv(self, outputs, kernel=3, pad=0, stride=1, weight_bits=5, groups=1):
        self.shape[:2] = [(n + 2 * pad - kernel) // stride + 1 for n in self.shape[:2]]
        inner = f"{kernel}x{kernel}x{self.shape[2] // groups}x"
        taps = kernel * kernel * self.shape[2] // groups
        self.shape[2] = outputs
        options = (f" {{kernel = {pair(kernel)}, stride = {pair(stride)}, "
                   f"padding = [{pad}, {pad}, {pad}, {pad}]"
                   f"{f', groups = {groups}' if groups > 1 else ''}}}")
        return self._product("conv2d", options, inner, taps, outputs, weight_bits)

    def conv_transposed(self, outputs, kernel=2, weight_bits=5):
        """Of a stride as long as the kernel."""
        inner, taps = f"{kernel}x{kernel}x{self.shape[2]}x", self.shape[2] * kernel * kernel
        self.shape = [n * kernel for n in self.shape[:2]] + [outputs]
        options = (f" {{kernel = {pair(kernel)}, stride = {pair(kernel)}, "
                   "padding = [0, 0, 0, 0]}")
        return self._product("conv_transpose2d", options, inner, taps, outputs, weight_bits,
                             kernel * kernel)

    def dense(self, outputs, weight_bits=5):
        if len(self.shape) > 1:
            self.shape = [self.shape[0] * self.shape[1] * self.shape[2]]
            self._append(f"flatten {self.value}", self._type())
        taps, self.shape = self.shape[0], [outputs]
        return self._product("dense", "", f"{taps}x", taps, outputs, weight_bits)

    def relu(self):
        self.low = 0
        return self._append(f"relu {self.value}", self._type())

    def quantise(self, bits=6, integers=3, rounding="RND_CONV", signed=False):
        self.low, self.high = (-2**(bits - 1), 2**(bits - 1) - 1) if signed else (0, 2**bits - 1)
        self.frac = bits - integers
        return self._append(f"requantize {self.value} {{rounding = {rounding}, overflow = SAT}}",
                            self._type())

    def act(self, bits=6, integers=3):
        return self.relu().quantise(bits, integers)

    def max_pool(self, kernel=2):
        self.shape[:2] = [n // kernel for n in self.shape[:2]]
        return self._append(f"max_pool {self.value} {{kernel = {pair(kernel)}, "
                            f"stride = {pair(kernel)}, padding = [0, 0, 0, 0]}}", self._type())

    def avg_pool(self, kernel=2):
        self.shape[:2] = [n // kernel for n in self.shape[:2]]
        return self._append(
            f"avg_pool {self.value} {{kernel = {pair(kernel)}, stride = {pair(kernel)}, "
            "padding = [0, 0, 0, 0], include_padding = 0, rounding = RND_CONV, overflow = SAT}",
            self._type())

    def upsample(self, factor=2):
        self.shape[:2] = [n * factor for n in self.shape[:2]]
        return self._append(f"upsample {self.value} {{factor = {pair(factor)}}}", self._type())

    def transpose(self):
        """Rows become columns."""
        self.shape[:2] = self.shape[1::-1]
        return self._append(f"transpose {self.value} {{permutation = [1, 0, 2]}}", self._type())

    def residual(self):
        """Adds the value before a convolution to that behind it."""
        before, low, high, frac = self.value, self.low, self.high, self.frac
        self.conv(self.shape[2], pad=1).act(high.bit_length(), high.bit_length() - frac)
        self.low, self.high = self.low + low, self.high + high
        return self._append(f"add {before}, {self.value}", self._type())

    def concat(self, outputs):
        """Puts a convolution of a value beside the value."""
        before, channels, bits, frac = self.value, self.shape[2], self.high.bit_length(), self.frac
        self.conv(outputs, pad=1).act(bits, bits - frac)
        self.shape[2] = channels + outputs
        return self._append(f"concat {before}, {self.value}", self._type())

    def text(self):
        body = "".join(f"  {line}\n" for line in self.lines)
        return f"{HEAD}graph @{self.name} {{\n{body}  output {self.value}\n}}\n"

    def _sizes(self):
        return "x".join(map(str, self.shape))

    def _type(self):
        return narrowest(self.low, self.high, self.frac)

    def _append(self, text, kind):
        self.value = f"%v{len(self.lines)}"
        self.lines.append(f"{self.value} = {text} : tensor<{self._sizes()} x {kind}>")
        return self

    def _constant(self, values, shape, low, high, frac):
        name = f"%c{len(self.lines)}"
        self.lines.append(f"{name} = constant {{value = {values}}} : "
                          f"tensor<{shape} x {narrowest(low, high, frac)}>")
        return name

    def _product(self, operation, options, inner, taps, outputs, weight_bits, phases=1):
        """A layer with drawn weights, in each of its `phases` of a part of the taps; its type is
        signed and holds every sum."""
        bound = 2**(weight_bits - 1)
        weights = [[self.draw.randint(-bound, bound - 1) for _ in range(outputs)]
                   for _ in range(taps)]
        low, high = 0, 0
        for column in zip(*weights):
            step = taps // phases
            for part in (column[i:i + step] for i in range(0, taps, step)):
                low = min(low, sum(w * (self.high if w < 0 else self.low) for w in part))
                high = max(high, sum(w * (self.high if w > 0 else self.low) for w in part))
        if phases > 1:  # the taps of a phase are not adjacent
            low, high = -bound * taps // phases * self.high, bound * taps // phases * self.high
        w = self._constant([w for row in weights for w in row], f"{inner}{outputs}", -bound,
                           bound - 1, weight_bits - 1)
        b = self._constant([0] * outputs, outputs, 0, 1, 0)
        self.frac += weight_bits - 1
        width = max(high.bit_length(), (-low - 1).bit_length()) + 1
        self.low, self.high = -2**(width - 1), 2**(width - 1) - 1
        return self._append(f"{operation} {self.value}, {w}, {b}{options}", self._type())
