"""The pieces of a network: arrays in, arrays out, no words.

Axes have fixed letters everywhere: T steps, B sequences, N = T * B rows, D inputs, H hidden units,
G gates, V words. Arrays of sequences are time-major, (T, B, ...). Every `forward` returns its result and a
function `backward`, which takes the gradient of the loss with respect to that result, adds to the gradients of
the parameters, and returns the gradient with respect to the input.
"""
