"""The colours that all pictures share, wherever they are drawn.

They are those of Okabe and Ito (2008, "Color universal design"), which colour-blind readers can
tell apart.
"""

INK, QUIET, PALE = "#222222", "#6b6b6b", "#d9d9d9"
BLUE, SKY, GREEN, ORANGE = "#0072B2", "#56B4E9", "#009E73", "#E69F00"
VERMILLION, PURPLE, YELLOW, BROWN = "#D55E00", "#CC79A7", "#F0E442", "#7f4f24"

# Relatives share a hue: blue without a memory of gradient sizes, red with both kinds of memory.
OPTIMIZERS = {
    "SGD": BLUE,
    "Momentum": SKY,
    "Adagrad": GREEN,
    "RMSprop": ORANGE,
    "Adam": VERMILLION,
    "AdamW": PURPLE,
    "Adadelta": INK,
    "Muon": BROWN,
}
CLASSES = (BLUE, ORANGE, GREEN, PURPLE, VERMILLION, SKY, YELLOW, QUIET)
