#!/usr/bin/env python3
"""The transforms of src/kernels/winograd_transform.h and of upsample.c beside it, derived exactly.

Prints the matrices of Winograd convolution for the points 0, ±1, ±2, ±1/2, ∞ (A. Lavin, S. Gray,
Fast Algorithms for Convolutional Neural Networks, CVPR 2016), proves with fractions that
Aᵀ [(G g) ⊙ (Bᵀ d)] is the correlation of d with g, and B [(G g) ⊙ (A x)] the full convolution of x
with g (A. Toom, S. Cook), for every size that is used, and, given the sources, that their constants
are these.

    winograd_transforms.py [src/kernels/winograd_transform.h src/kernels/upsample.c]
"""

import re
import sys
from fractions import Fraction

PAIRS = [Fraction(1), Fraction(2), Fraction(1, 2)]  # the points ±a
POINTS = [Fraction(0)] + [sign * a for a in PAIRS for sign in (1, -1)]  # and ∞, the last row
SIZES = [(4, 5), (5, 4), (6, 3), (3, 6), (7, 2)]  # results, kernel
FULL_SIZES = [(7, 2)]  # numbers of the tile, kernel


def product(polynomials):
    """The product of polynomials; coefficients begin with that of x⁰."""
    result = [Fraction(1)]
    for p in polynomials:
        longer = [Fraction(0)] * (len(result) + len(p) - 1)
        for i, a in enumerate(result):
            for j, b in enumerate(p):
                longer[i + j] += a * b
        result = longer
    return result


def root_polynomial(roots):
    return product([-r, Fraction(1)] for r in roots)


def derivative_at_root(point):
    value = Fraction(1)
    for other in POINTS:
        if other != point:
            value *= point - other
    return value


def vandermonde(columns):
    return [[a**j for j in range(columns)] for a in POINTS] + [[0] * (columns - 1) + [1]]


def matrix_a(results):
    return vandermonde(results)


def matrix_g(kernel):
    rows = vandermonde(kernel)
    for i, a in enumerate(POINTS):
        factor = 1 / derivative_at_root(a) * (-1 if a == 0 else 1)
        rows[i] = [factor * x for x in rows[i]]
    return rows


def matrix_b_transposed():
    rows = []
    for a in POINTS:
        row = root_polynomial(b for b in POINTS if b != a) + [Fraction(0)]
        rows.append([-x for x in row] if a == 0 else row)
    return rows + [root_polynomial(POINTS)]


def multiply(matrix, vector):
    return [sum(a * b for a, b in zip(row, vector)) for row in matrix]


def unit(n, i):
    return [Fraction(int(i == j)) for j in range(n)]


def prove(results, kernel):
    """Both sides are linear in d and in g: unit vectors are enough."""
    a, g_matrix, b = matrix_a(results), matrix_g(kernel), matrix_b_transposed()
    for i in range(8):
        for j in range(kernel):
            d, g = unit(8, i), unit(kernel, j)
            points = [u * v for u, v in zip(multiply(g_matrix, g), multiply(b, d))]
            winograd = multiply([list(column) for column in zip(*a)], points)
            correlation = [sum(d[y + k] * g[k] for k in range(kernel)) for y in range(results)]
            if winograd != correlation:
                sys.exit(f"not a correlation: {results} results, kernel {kernel}, d {i}, g {j}")


def prove_full(tile, kernel):
    """By unit vectors too. The gradients by x and by g, Aᵀ [(G g) ⊙ (Bᵀ d)] and
    Gᵀ [(A x) ⊙ (Bᵀ d)], are then right as well: d · B [(G g) ⊙ (A x)] is linear in each."""
    a, g_matrix, b_transposed = matrix_a(tile), matrix_g(kernel), matrix_b_transposed()
    for i in range(tile):
        for j in range(kernel):
            x, g = unit(tile, i), unit(kernel, j)
            points = [u * v for u, v in zip(multiply(g_matrix, g), multiply(a, x))]
            if multiply([list(column) for column in zip(*b_transposed)], points) != product([x, g]):
                sys.exit(f"not a full convolution: tile {tile}, kernel {kernel}, x {i}, g {j}")


def pair_constants(a):
    """P(x) / (x ∓ a) = (x² ± a x) (x⁴ - p x² + q), and g = 1 / P'(±a)."""
    row = root_polynomial(b for b in POINTS if b != a)
    p, q = -row[4], row[2]
    if row != product([[0, a, 1], [q, 0, -p, 0, 1]]):
        sys.exit(f"the rows of ±{a} do not have the form that the code makes use of")
    if derivative_at_root(a) != derivative_at_root(-a):
        sys.exit(f"G has two factors for ±{a}")
    return [a, p, q, 1 / derivative_at_root(a)]


def outer_constant():
    """∞: P(x) = x⁷ - c x⁵ + c x³ - x; and 0: -P(x) / x."""
    row = root_polynomial(POINTS)
    if row != [0, -1, 0, row[3], 0, -row[3], 0, 1]:
        sys.exit("the rows of 0 and ∞ do not have the form that the code makes use of")
    return row[3]


def check_header(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    number = r"(-?\d+(?: / \d+)?)(?:\.?f)?"
    table = re.findall(r"\{" + ", ".join([number] * 4) + r"\}", text)
    found = [[Fraction(x.replace(" ", "")) for x in row] for row in table]
    if found != [pair_constants(a) for a in PAIRS]:
        sys.exit(f"{path}: pairs[] is {found}")
    factors = re.findall(r"(\d+) / (\d+)\.f \* \(d\[", text)
    if [Fraction(int(n), int(d)) for n, d in factors] != [outer_constant()] * 2:
        sys.exit(f"{path}: the factors of rows 0 and 7 are {factors}")


def check_interpolation(path):
    """interpolate(): columns 0 and ∞ of B; the others make use of the header's constants."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    term = r"y\[(\d)\] = (-?)(?:(\d+) / (\d+)\.f \* )?m\[([07])\];"
    found = {column: [Fraction(0)] * 8 for column in (0, 7)}
    for row, sign, n, d, column in re.findall(term, text):
        value = Fraction(int(n), int(d)) if n else Fraction(1)
        found[int(column)][int(row)] = -value if sign else value
    b_transposed = matrix_b_transposed()
    for column in found:
        if found[column] != b_transposed[column]:
            sys.exit(f"{path}: interpolate() takes m[{column}] times {found[column]}")


def show(name, matrix):
    print(name)
    for row in matrix:
        print("   ", *(f"{str(x):>7}" for x in row))


for size in SIZES:
    prove(*size)
for size in FULL_SIZES:
    prove_full(*size)
if len(sys.argv) > 1:
    check_header(sys.argv[1])
    check_interpolation(sys.argv[2])
    print("the constants are exact, and so are the identities for", SIZES, "and", FULL_SIZES)
else:
    show("B transposed", matrix_b_transposed())
    for n in (3, 4, 5, 6, 7):
        show(f"A for {n} results", matrix_a(n))
    for n in (2, 3, 4, 5, 6):
        show(f"G for {n} weights", matrix_g(n))
