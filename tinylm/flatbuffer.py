"""Between a Graph and the bytes of a .tflite. The only module that knows TensorFlow Lite's schema.

Schema: the `tflite` package (TensorFlow 2.18's schema.fbs), read and written with `flatbuffers`; no TensorFlow.
"""

from __future__ import annotations

import re
import struct
from dataclasses import replace
from typing import Any

import flatbuffers
import numpy as np
import tflite

from tinylm.errors import TinylmError
from tinylm.graph import Graph, Op, Tensor, next_names
from tinylm.layout import pack_int4, unpack_int4
from tinylm.lowering import FileOp, lower
from tinylm.op_checks import CHECKS, check_graph

_CODES = {kind: getattr(tflite.BuiltinOperator, kind) for kind in CHECKS}
_NAMES = {v: k for k, v in vars(tflite.BuiltinOperator).items() if not k.startswith("_")}
_NUMPY = {"int8": np.int8, "int32": np.int32, "int4": np.int8}
_TYPE_NAMES = {v: k.lower() for k, v in vars(tflite.TensorType).items() if not k.startswith("_")}
_TYPE_CODES = {name: code for code, name in _TYPE_NAMES.items()}
# Names that generated C uses itself, and the words that C and C++ keep for themselves.
_RESERVED = frozenset(
    "language scratch step score logit row sum tlm_model i "
    "auto bool break case catch char class const continue default delete do double else enum extern false float for "
    "friend goto if inline int long namespace new operator private protected public register restrict return short "
    "signed sizeof static struct switch template this throw true try typedef typename union unsigned using virtual "
    "void volatile while and not or xor asm int8_t uint8_t int16_t uint16_t int32_t uint32_t".split()
)
# Endings of what generated C and the language's sections are called after a tensor.
_ENDINGS = re.compile(r"_(layer|scale|at|bias|state|table|multipliers|shifts|units)$")
# Parameters of the step function: a tensor may be called so only where it is that parameter.
_PARAMETERS = frozenset(("id", "state", "context"))
_MOST = 10_000  # tensors, ops and dimensions: a damaged count must not keep us busy
_MOST_OP_INPUTS = 256


def read_tflite(content: bytes) -> Graph:
    """Parse and check. Raises TinylmError for anything that is not a step graph of the supported ops."""
    if len(content) < 16 or content[4:8] != b"TFL3":
        raise TinylmError(
            f"The file is no .tflite: bytes 4 to 7 are {content[4:8]!r}, b'TFL3' is needed.",
            "Give the model.tflite of a `tinylm train` run.",
        )
    try:
        graph = _parse(content)
    except TinylmError:
        raise
    except (
        struct.error,
        IndexError,
        TypeError,
        ValueError,
        AttributeError,
        UnicodeDecodeError,
        OverflowError,
    ) as error:
        raise TinylmError(
            f"The .tflite is damaged ({len(content):,} bytes): {type(error).__name__}.", "Copy or train it again."
        ) from error
    check_graph(graph)
    return graph


def _parse(content: bytes) -> Graph:
    model = tflite.Model.GetRootAsModel(content, 0)
    if model.SubgraphsLength() != 1:
        raise TinylmError(f"The .tflite has {model.SubgraphsLength()} subgraphs; one step graph is needed.")
    subgraph = model.Subgraphs(0)
    counts = subgraph.TensorsLength(), subgraph.OperatorsLength(), subgraph.InputsLength(), subgraph.OutputsLength()
    if max(counts) > _MOST:
        raise TinylmError(f"The .tflite names {max(counts):,} tensors or ops; at most {_MOST:,} are allowed.")
    tensors = [_tensor(model, subgraph.Tensors(i), i) for i in range(counts[0])]
    ops = [_op(model, subgraph.Operators(i), i, len(tensors)) for i in range(counts[1])]
    inputs = [_index(int(subgraph.Inputs(i)), len(tensors)) for i in range(counts[2])]
    outputs = [_index(int(subgraph.Outputs(i)), len(tensors)) for i in range(counts[3])]
    for i, name in _signature_names(model).items():
        tensors[_index(i, len(tensors))] = replace(tensors[i], name=name)
    graph = lower(tensors, ops, inputs, outputs)
    contexts = {op.inputs[0] for op in graph.ops if op.kind == "FULLY_CONNECTED" and op.output in graph.outputs}
    return replace(graph, tensors=_with_clean_names(graph.tensors, contexts.union(graph.inputs)))


def _signature_names(model: Any) -> dict[int, str]:
    """Tensor -> what the file's signature calls it. An output that is called as an input is that input's next value."""
    if model.SignatureDefsLength() != 1:
        return {}
    signature = model.SignatureDefs(0)
    inputs = [signature.Inputs(i) for i in range(min(signature.InputsLength(), _MOST))]
    outputs = [signature.Outputs(i) for i in range(min(signature.OutputsLength(), _MOST))]
    names = {m.TensorIndex(): m.Name().decode("utf-8") for m in inputs}
    called = set(names.values())
    for m in sorted(outputs, key=lambda m: m.Name().decode("utf-8") not in called):  # one tensor may be two outputs
        name = m.Name().decode("utf-8")
        names.setdefault(m.TensorIndex(), next_names(name)[0] if name in called else name)
    return names


def _with_clean_names(tensors: tuple[Tensor, ...], parameters: set[int]) -> tuple[Tensor, ...]:
    """Names that are C identifiers and differ: converters write 'a/b/MatMul;c' and give some names twice."""
    seen: set[str] = set()
    renamed = []
    for number, tensor in enumerate(tensors):
        name = re.sub(r"\W+", "_", tensor.name, flags=re.ASCII).strip("_")[:60]
        if (
            not name
            or name[0].isdigit()
            or name in seen
            or name in _RESERVED
            or (name in _PARAMETERS and number not in parameters)
            or (tensor.dtype != "int32" and _ENDINGS.search(name))
        ):
            name = (
                f"{name or 'tensor'}_{number}"
                if name and not name[0].isdigit()
                else f"tensor_{number}_{name}".rstrip("_")
            )
        seen.add(name)
        renamed.append(replace(tensor, name=name))
    return tuple(renamed)


def _index(value: int, count: int) -> int:
    if not 0 <= value < count:
        raise TinylmError(f"The .tflite names tensor {value}; it has {count}.", "Copy or train it again.")
    return value


def _tensor(model: Any, raw: Any, number: int) -> Tensor:
    """Any tensor: what no op of the step needs may be of any type."""
    name = (raw.Name() or b"").decode("utf-8") or f"tensor {number}"
    dtype = _TYPE_NAMES.get(raw.Type(), str(raw.Type()))
    if raw.ShapeLength() > 4:
        raise TinylmError(f"Tensor '{name}' of the .tflite has {raw.ShapeLength()} dimensions; at most 4 are allowed.")
    shape = tuple(int(raw.Shape(i)) for i in range(raw.ShapeLength()))
    if any(not 0 < n < 1 << 24 for n in shape):
        raise TinylmError(f"Tensor '{name}' of the .tflite has the shape {shape}.")
    scales, zero = _quantization(raw, name)
    values = _constant(model, raw, name, shape, dtype) if dtype in _NUMPY else None
    return Tensor(name, shape, dtype, max(scales), zero, values, scales if len(scales) > 1 else ())


def _quantization(raw: Any, name: str) -> tuple[tuple[float, ...], int]:
    """The scales (one, or one a row) and the zero point."""
    quantization = raw.Quantization()
    if quantization is None or quantization.ScaleLength() == 0:
        return (0.0,), 0
    scales = tuple(float(scale) for scale in quantization.ScaleAsNumpy())
    zeros = {int(zero) for zero in quantization.ZeroPointAsNumpy()} if quantization.ZeroPointLength() else {0}
    if len(scales) > 1 and (quantization.QuantizedDimension() or zeros != {0}) or len(zeros) > 1:
        raise TinylmError(
            f"Tensor '{name}' of the .tflite has {len(scales)} scales along dimension {quantization.QuantizedDimension()}.",
            "Quantize it per tensor, or per row with zero point 0.",
        )
    return scales, zeros.pop()


def _constant(model: Any, raw: Any, name: str, shape: tuple[int, ...], dtype: str) -> np.ndarray | None:
    buffer = model.Buffers(raw.Buffer())
    if buffer is None or buffer.DataLength() == 0:
        return None
    stored, count = bytes(buffer.DataAsNumpy()), int(np.prod(shape, dtype=np.int64))
    numpy_type = np.dtype(_NUMPY[dtype]).newbyteorder("<")
    if len(stored) != (-(-count // 2) if dtype == "int4" else count * numpy_type.itemsize):
        raise TinylmError(f"Tensor '{name}' of the .tflite has {len(stored):,} bytes for the shape {shape}.")
    values = np.frombuffer(stored, numpy_type)
    return (unpack_int4(values)[:count] if dtype == "int4" else values).reshape(shape)


# Options that are read, by op: those that change what it means.
_READ_OPTIONS = {
    "FULLY_CONNECTED": ("FusedActivationFunction", "WeightsFormat"),
    "ADD": ("FusedActivationFunction",),
    "SUB": ("FusedActivationFunction",),
    "MUL": ("FusedActivationFunction",),
    "CONCATENATION": ("FusedActivationFunction", "Axis"),
    "GATHER": ("Axis", "BatchDims"),
    "STRIDED_SLICE": ("BeginMask", "EndMask", "EllipsisMask", "NewAxisMask", "ShrinkAxisMask"),
}
# How many inputs an op has at least and at most, where that is not two.
_INPUTS = {"FULLY_CONNECTED": (2, 3), "LOGISTIC": (1, 1), "TANH": (1, 1), "QUANTIZE": (1, 1), "SLICE": (3, 3),
           "STRIDED_SLICE": (4, 4), "SPLIT_V": (3, 3), "SELECT": (3, 3), "SELECT_V2": (3, 3), "RESHAPE": (1, 2),
           "SQUEEZE": (1, 1), "CONCATENATION": (1, _MOST_OP_INPUTS)}  # fmt: skip
_KNOWN = {*CHECKS, *_INPUTS, "SPLIT", "EXPAND_DIMS", "LESS"}


def _op(model: Any, raw: Any, number: int, tensors: int) -> FileOp:
    code = model.OperatorCodes(raw.OpcodeIndex())
    value = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    kind = _NAMES.get(value, f"operator {value}")
    inputs = [int(raw.Inputs(i)) for i in range(min(raw.InputsLength(), _MOST_OP_INPUTS + 1))]
    if kind == "FULLY_CONNECTED" and len(inputs) == 2:
        inputs.append(-1)
    least, most = _INPUTS.get(kind, (2, 2))
    if kind in _KNOWN and not (least <= len(inputs) <= most and raw.OutputsLength() >= 1):
        raise TinylmError(
            f"Op {number} ({kind}) of the .tflite has {len(inputs)} inputs, {least} to {most} are needed."
        )
    absent = {2} if kind == "FULLY_CONNECTED" else set() if kind in _KNOWN else set(range(len(inputs)))
    checked = tuple(i if i == -1 and n in absent else _index(i, tensors) for n, i in enumerate(inputs))
    outputs = tuple(_index(int(raw.Outputs(i)), tensors) for i in range(min(raw.OutputsLength(), _MOST_OP_INPUTS)))
    return FileOp(kind, checked, outputs, _read_options(raw, kind), number)


def _read_options(raw: Any, kind: str) -> dict[str, int]:
    table = raw.BuiltinOptions()
    if table is None or kind not in _READ_OPTIONS:
        return {}
    options = getattr(tflite, _options_name(kind))()
    options.Init(table.Bytes, table.Pos)
    return {name: int(getattr(options, name)()) for name in _READ_OPTIONS[kind]}


def _options_name(kind: str) -> str:
    """FULLY_CONNECTED -> FullyConnectedOptions."""
    return "".join(part.capitalize() for part in kind.split("_")) + "Options"


def write_tflite(graph: Graph, description: str = "tinylm") -> bytes:
    """The graph as a .tflite; constants that are the same array share one buffer. Same graph, same bytes."""
    check_graph(graph)
    graph = _with_slice_operands(graph)
    builder = flatbuffers.Builder(1 << 20)
    held: list[Tensor] = []
    tensors = [_write_tensor(builder, t, _buffer_of(t, held)) for t in graph.tensors]
    kinds = sorted({op.kind for op in graph.ops})
    ops = [_write_op(builder, op, kinds) for op in graph.ops]
    subgraph = _write_subgraph(builder, graph, tensors, ops)
    codes = [_write_code(builder, kind) for kind in kinds]
    buffers = [_write_buffer(builder, None), *(_write_buffer(builder, t) for t in held)]
    text = builder.CreateString(description)
    parts = [_vector(builder, v) for v in (codes, [subgraph], buffers)]
    tflite.ModelStart(builder)
    tflite.ModelAddVersion(builder, 3)
    tflite.ModelAddOperatorCodes(builder, parts[0])
    tflite.ModelAddSubgraphs(builder, parts[1])
    tflite.ModelAddDescription(builder, text)
    tflite.ModelAddBuffers(builder, parts[2])
    builder.Finish(tflite.ModelEnd(builder), b"TFL3")
    return bytes(builder.Output())


def _with_slice_operands(graph: Graph) -> Graph:
    """SLICE has begin and size as constants of the file."""
    tensors, ops, held = list(graph.tensors), [], {}

    def constant(value: int, first: int) -> int:
        if (value, first) not in held:
            held[value, first] = len(tensors)
            name = f"slice_{'size' if first else 'begin'}_{value}"
            tensors.append(Tensor(name, (2,), "int32", values=np.array([first, value], np.int32)))
        return held[value, first]

    for op in graph.ops:
        if op.kind == "SLICE":
            operands = constant(op.begin, 0), constant(graph.tensor(op.output).size, 1)
            op = replace(op, inputs=(*op.inputs, *operands))
        ops.append(op)
    return replace(graph, tensors=tuple(tensors), ops=tuple(ops))


def _buffer_of(tensor: Tensor, held: list[Tensor]) -> int:
    if tensor.values is None:
        return 0
    for i, other in enumerate(held):
        if other.values is tensor.values and other.dtype == tensor.dtype:
            return i + 1
    held.append(tensor)
    return len(held)


def _vector(builder: Any, offsets: list[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def _ints(builder: Any, values: tuple[int, ...]) -> int:
    return builder.CreateNumpyVector(np.array(values, np.int32))


def _write_buffer(builder: Any, tensor: Tensor | None) -> int:
    content = None
    if tensor is not None:
        # TensorFlow Lite wants constants 16-byte aligned in the file.
        little_endian = tensor.values.astype(tensor.values.dtype.newbyteorder("<"))
        raw = pack_int4(tensor.values) if tensor.dtype == "int4" else little_endian.tobytes()
        builder.StartVector(1, len(raw), 16)
        builder.head -= len(raw)
        builder.Bytes[builder.head : builder.head + len(raw)] = raw
        content = builder.EndVector()
    tflite.BufferStart(builder)
    if content is not None:
        tflite.BufferAddData(builder, content)
    return tflite.BufferEnd(builder)


def _write_tensor(builder: Any, tensor: Tensor, buffer: int) -> int:
    name, shape, quantization = builder.CreateString(tensor.name), _ints(builder, tensor.shape), None
    if tensor.scale:
        scales = tensor.scales or (tensor.scale,)
        scale = builder.CreateNumpyVector(np.array(scales, np.float32))
        zero = builder.CreateNumpyVector(np.full(len(scales), tensor.zero_point, np.int64))
        tflite.QuantizationParametersStart(builder)
        tflite.QuantizationParametersAddScale(builder, scale)
        tflite.QuantizationParametersAddZeroPoint(builder, zero)
        quantization = tflite.QuantizationParametersEnd(builder)
    tflite.TensorStart(builder)
    tflite.TensorAddShape(builder, shape)
    tflite.TensorAddType(builder, _TYPE_CODES[tensor.dtype])
    tflite.TensorAddBuffer(builder, buffer)
    tflite.TensorAddName(builder, name)
    if quantization is not None:
        tflite.TensorAddQuantization(builder, quantization)
    return tflite.TensorEnd(builder)


def _write_code(builder: Any, kind: str) -> int:
    tflite.OperatorCodeStart(builder)
    tflite.OperatorCodeAddDeprecatedBuiltinCode(builder, _CODES[kind])
    tflite.OperatorCodeAddVersion(builder, _VERSIONS.get(kind, 1))
    tflite.OperatorCodeAddBuiltinCode(builder, _CODES[kind])
    return tflite.OperatorCodeEnd(builder)


# The first version of each op that takes int8 (TensorFlow Lite's op_version.cc).
_VERSIONS = {"FULLY_CONNECTED": 4, "ADD": 2, "SUB": 2, "MUL": 2, "LOGISTIC": 2, "TANH": 2, "GATHER": 2, "SLICE": 2,
             "CONCATENATION": 2, "QUANTIZE": 2}  # fmt: skip


def _write_op(builder: Any, op: Op, kinds: list[str]) -> int:
    inputs, outputs = _ints(builder, op.inputs), _ints(builder, (op.output,))
    options, options_type = None, 0
    if op.kind in _READ_OPTIONS:
        stem = _options_name(op.kind)
        options_type = getattr(tflite.BuiltinOptions, stem)
        getattr(tflite, stem + "Start")(builder)
        if op.relu:
            getattr(tflite, stem + "AddFusedActivationFunction")(builder, tflite.ActivationFunctionType.RELU)
        if op.kind == "CONCATENATION":
            tflite.ConcatenationOptionsAddAxis(builder, 1)
        options = getattr(tflite, stem + "End")(builder)
    tflite.OperatorStart(builder)
    tflite.OperatorAddOpcodeIndex(builder, kinds.index(op.kind))
    tflite.OperatorAddInputs(builder, inputs)
    tflite.OperatorAddOutputs(builder, outputs)
    if options is not None:
        tflite.OperatorAddBuiltinOptionsType(builder, options_type)
        tflite.OperatorAddBuiltinOptions(builder, options)
    return tflite.OperatorEnd(builder)


def _write_subgraph(builder: Any, graph: Graph, tensors: list[int], ops: list[int]) -> int:
    name = builder.CreateString("step")
    tensor_vector, op_vector = _vector(builder, tensors), _vector(builder, ops)
    inputs, outputs = _ints(builder, graph.inputs), _ints(builder, graph.outputs)
    tflite.SubGraphStart(builder)
    tflite.SubGraphAddTensors(builder, tensor_vector)
    tflite.SubGraphAddInputs(builder, inputs)
    tflite.SubGraphAddOutputs(builder, outputs)
    tflite.SubGraphAddOperators(builder, op_vector)
    tflite.SubGraphAddName(builder, name)
    return tflite.SubGraphEnd(builder)
