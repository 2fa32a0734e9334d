"""Vector instructions of the processor, as LLVM has them, for what it does not find by itself."""

from itertools import chain
from typing import Any

from slalom.engine.native.adapter import cgutils, get_host_cpu_features, ir, types


def _lanes() -> int:
    """Float32 numbers in a vector register of this processor."""
    features = get_host_cpu_features()
    return 16 if features.get("avx512f") else 8 if features.get("avx2") else 4


LANES = _lanes()

FLOAT = ir.FloatType()
VECTOR = ir.VectorType(FLOAT, LANES)
INDEX = ir.IntType(64)
UNDEFINED = ir.Constant(VECTOR, ir.Undefined)
ZEROS = ir.Constant(VECTOR, [0.0] * LANES)


class Emitter:
    """Writes vector instructions; arrays are float32, one-dimensional and contiguous."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        self.builder = builder
        self.arguments = [
            context.make_array(kind)(context, builder, value).data
            if isinstance(kind, types.Array)
            else value
            for kind, value in zip(signature.args, arguments, strict=True)
        ]

    def at(self, *offsets: Any) -> Any:
        """A position."""
        position = INDEX(0)
        for offset in offsets:
            position = self.builder.add(position, INDEX(offset) if type(offset) is int else offset)
        return position

    def address(self, data: Any, *offsets: Any) -> Any:
        """The address of a position."""
        return self.builder.gep(data, [self.at(*offsets)])

    def times(self, a: Any, b: Any) -> Any:
        return self.builder.mul(*(INDEX(n) if type(n) is int else n for n in (a, b)))

    def load(self, address: Any, kind: Any = VECTOR) -> Any:
        return self.builder.load(self.builder.bitcast(address, kind.as_pointer()), align=4)

    def store(self, value: Any, address: Any) -> None:
        self.builder.store(value, self.builder.bitcast(address, value.type.as_pointer()), align=4)

    def spread(self, address: Any) -> Any:
        """The number at an address in every lane."""
        number = self.builder.load(address, align=4)
        one = self.builder.insert_element(UNDEFINED, number, ir.IntType(32)(0))
        return self.lane(one, 0)

    def lane(self, vector: Any, number: int) -> Any:
        """One lane of a vector in every lane."""
        return self.shuffle(vector, UNDEFINED, [number] * LANES)

    def positive(self, vector: Any) -> Any:
        """A mask of the lanes above 0."""
        return self.builder.fcmp_ordered(">", vector, ZEROS)

    def relu(self, vector: Any) -> Any:
        """max(0, x); NaN stays NaN."""
        negative = self.builder.fcmp_ordered("<", vector, ZEROS)
        return self.builder.select(negative, ZEROS, vector)

    def shuffle(self, a: Any, b: Any, lanes: list[int]) -> Any:
        mask = ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), lanes)
        return self.builder.shuffle_vector(a, b, mask)

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        function = self._function("llvm.fma.{}", VECTOR, VECTOR, VECTOR, VECTOR)
        return self.builder.call(function, [a, b, c])

    def constant(self, number: float) -> Any:
        """A number in every lane."""
        return ir.Constant(VECTOR, [number] * LANES)

    def polynomial(self, x: Any, coefficients: list[float]) -> Any:
        """Of one variable, from the highest power down to the constant."""
        value = self.constant(coefficients[0])
        for coefficient in coefficients[1:]:
            value = self.fma(value, x, self.constant(coefficient))
        return value

    def rounded(self, vector: Any) -> Any:
        """The nearest whole numbers."""
        return self.builder.call(self._function("llvm.rint.{}", VECTOR, VECTOR), [vector])

    def variables(self, values: list[Any]) -> list[Any]:
        """Variables with these first values; LLVM keeps them in registers."""
        return [cgutils.alloca_once_value(self.builder, value) for value in values]

    def values(self, variables: list[Any]) -> list[Any]:
        return [self.builder.load(variable) for variable in variables]

    def add_product(self, variable: Any, a: Any, b: Any) -> None:
        self.builder.store(self.fma(a, b, self.builder.load(variable)), variable)

    def loop(self, start: Any, stop: Any, step: int = 1) -> Any:
        return cgutils.for_range_slice(self.builder, start, stop, INDEX(step), intp=INDEX)

    def lanes_below(self, number: Any) -> Any:
        """A mask of the first `number` lanes."""
        b, kind = self.builder, ir.VectorType(INDEX, LANES)
        one = b.insert_element(ir.Constant(kind, ir.Undefined), number, ir.IntType(32)(0))
        numbers = self.shuffle(one, ir.Constant(kind, ir.Undefined), [0] * LANES)
        return b.icmp_signed("<", ir.Constant(kind, list(range(LANES))), numbers)

    def load_masked(self, address: Any, mask: Any) -> Any:
        """What lies in memory in the lanes of the mask, zeros in the others."""
        pointer = self.builder.bitcast(address, VECTOR.as_pointer())
        align = ir.IntType(32)(4)
        kinds = (pointer.type, align.type, mask.type, VECTOR)
        load = self._function("llvm.masked.load.{}.p0", VECTOR, *kinds)
        return self.builder.call(load, [pointer, align, mask, ZEROS])

    def store_masked(self, value: Any, address: Any, mask: Any) -> None:
        """Leave what lies in memory in the lanes outside the mask."""
        pointer = self.builder.bitcast(address, VECTOR.as_pointer())
        align = ir.IntType(32)(4)
        kinds = (VECTOR, pointer.type, align.type, mask.type)
        store = self._function("llvm.masked.store.{}.p0", ir.VoidType(), *kinds)
        self.builder.call(store, [value, pointer, align, mask])

    def add_masked(self, value: Any, address: Any, mask: Any) -> None:
        """Add to memory in the lanes of the mask."""
        total = self.builder.fadd(self.load_masked(address, mask), value)
        self.store_masked(total, address, mask)

    def _function(self, name: str, result: Any, *arguments: Any) -> Any:
        """A function of LLVM's own on vectors."""
        kind = ir.FunctionType(result, arguments)
        name = name.format(f"v{LANES}f32")
        return cgutils.get_or_insert_function(self.builder.module, kind, name)

    def zip(self, a: Any, b: Any, level: int) -> tuple[Any, Any]:
        """The lanes of two vectors in two others, in an order that is one instruction each.

        In groups of four, a0 b0 a1 b1 and a2 b2 a3 b3 on level 0, a0 a1 b0 b1 and a2 a3 b2 b3 on
        level 1; beyond, the even groups of a and b, and the odd ones.
        """
        groups = range(0, LANES, 4)
        if level == 0:
            low = [n for g in groups for n in (g, LANES + g, g + 1, LANES + g + 1)]
            high = [n + 2 for n in low]
        elif level == 1:
            low = [n for g in groups for n in (g, g + 1, LANES + g, LANES + g + 1)]
            high = [n + 2 for n in low]
        else:
            low = [g + n for g in range(0, 2 * LANES, 8) for n in range(4)]
            high = [n + 4 for n in low]
        return self.shuffle(a, b, low), self.shuffle(a, b, high)

    def sums(self, vectors: list[Any]) -> Any:
        """One vector with the sum of each of LANES vectors, in their order."""
        level = 0
        while len(vectors) > 1:
            pairs = zip(vectors[::2], vectors[1::2], strict=True)
            vectors = [self.builder.fadd(*self.zip(a, b, level)) for a, b in pairs]
            level += 1
        return vectors[0]

    def transposed(self, rows: list[Any]) -> list[Any]:
        """LANES vectors with the lanes of LANES vectors."""
        squares: list[list[Any]] = [[] for _ in range(4)]  # column j of each 4 x 4 square
        for a, b, c, d in zip(*[iter(rows)] * 4, strict=True):
            ab, cd = self.zip(a, b, 0), self.zip(c, d, 0)
            columns = [*self.zip(ab[0], cd[0], 1), *self.zip(ab[1], cd[1], 1)]
            for own, column in zip(squares, columns, strict=True):
                own.append(column)
        return [row for quartet in zip(*map(self._apart, squares), strict=True) for row in quartet]

    def _apart(self, vectors: list[Any]) -> list[Any]:
        """Vector m of the result holds the groups m of all vectors."""
        if len(vectors) == 1:
            return vectors
        pairs = [self.zip(a, b, 2) for a, b in zip(vectors[::2], vectors[1::2], strict=True)]
        even, odd = (self._apart([pair[n] for pair in pairs]) for n in range(2))
        return list(chain(*zip(even, odd, strict=True)))
