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
from tinylm.graph import INSTEAD, KINDS, Graph, Op, Tensor, check_graph

_CODES = {kind: getattr(tflite.BuiltinOperator, kind) for kind in KINDS}
_NAMES = {v: k for k, v in vars(tflite.BuiltinOperator).items() if not k.startswith("_")}
_TYPES = {tflite.TensorType.INT8: ("int8", np.int8), tflite.TensorType.INT32: ("int32", np.int32)}
_TYPE_NAMES = {v: k for k, v in vars(tflite.TensorType).items() if not k.startswith("_")}
# Names that generated C uses itself, and the words that C and C++ keep for themselves.
_RESERVED = frozenset(
    "language scratch step score logit row sum tlm_model i "
    "auto bool break case catch char class const continue default delete do double else enum extern false float for "
    "friend goto if inline int long namespace new operator private protected public register restrict return short "
    "signed sizeof static struct switch template this throw true try typedef typename union unsigned using virtual "
    "void volatile while and not or xor asm int8_t uint8_t int16_t uint16_t int32_t uint32_t".split()
)
# Parameters of the step function: a tensor may be called so only where it is that parameter.
_PARAMETERS = frozenset(("id", "state", "context"))
_MOST = 10_000  # tensors, ops and dimensions: a damaged count must not keep us busy


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
    tensors = tuple(_tensor(model, subgraph.Tensors(i), i) for i in range(counts[0]))
    ops = tuple(_op(model, subgraph.Operators(i), i, len(tensors)) for i in range(counts[1]))
    inputs = tuple(_index(int(subgraph.Inputs(i)), len(tensors)) for i in range(counts[2]))
    outputs = tuple(_index(int(subgraph.Outputs(i)), len(tensors)) for i in range(counts[3]))
    contexts = {op.inputs[0] for op in ops if op.kind == "FULLY_CONNECTED" and op.output in outputs}
    return Graph(_with_clean_names(tensors, contexts.union(inputs)), ops, inputs, outputs)


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
    name = (raw.Name() or b"").decode("utf-8") or f"tensor {number}"
    if raw.Type() not in _TYPES:
        kind = _TYPE_NAMES.get(raw.Type(), str(raw.Type()))
        raise TinylmError(
            f"Tensor '{name}' of the .tflite is {kind}; int8 (and int32 for ids and biases) is needed.",
            "Quantize the whole model to int8, inputs and outputs too.",
        )
    dtype, numpy_type = _TYPES[raw.Type()]
    if raw.ShapeLength() > 4:
        raise TinylmError(f"Tensor '{name}' of the .tflite has {raw.ShapeLength()} dimensions; at most 4 are allowed.")
    shape = tuple(int(raw.Shape(i)) for i in range(raw.ShapeLength()))
    if any(not 0 < n < 1 << 24 for n in shape):
        raise TinylmError(f"Tensor '{name}' of the .tflite has the shape {shape}.")
    scale, zero = _quantization(raw, name)
    return Tensor(name, shape, dtype, scale, zero, _constant(model, raw, name, shape, numpy_type))


def _quantization(raw: Any, name: str) -> tuple[float, int]:
    quantization = raw.Quantization()
    if quantization is None or quantization.ScaleLength() == 0:
        return 0.0, 0
    if quantization.ScaleLength() != 1 or quantization.ZeroPointLength() > 1:
        raise TinylmError(
            f"Tensor '{name}' of the .tflite has {quantization.ScaleLength()} scales (per channel).",
            "Quantize it per tensor.",
        )
    zero = int(quantization.ZeroPoint(0)) if quantization.ZeroPointLength() else 0
    return float(np.float32(quantization.Scale(0))), zero


def _constant(model: Any, raw: Any, name: str, shape: tuple[int, ...], numpy_type: Any) -> np.ndarray | None:
    buffer = model.Buffers(raw.Buffer())
    if buffer is None or buffer.DataLength() == 0:
        return None
    stored = bytes(buffer.DataAsNumpy())
    if len(stored) != int(np.prod(shape, dtype=np.int64)) * np.dtype(numpy_type).itemsize:
        raise TinylmError(f"Tensor '{name}' of the .tflite has {len(stored):,} bytes for the shape {shape}.")
    return np.frombuffer(stored, np.dtype(numpy_type).newbyteorder("<")).reshape(shape)


def _op(model: Any, raw: Any, number: int, tensors: int) -> Op:
    code = model.OperatorCodes(raw.OpcodeIndex())
    value = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    kind = _NAMES.get(value, f"operator {value}")
    if kind not in KINDS:
        hint = INSTEAD.get(kind)
        raise TinylmError(
            f"Op {number} of the .tflite is {kind}, which is not supported.",
            f"Use {hint}." if hint else f"Supported are {', '.join(KINDS)}.",
        )
    inputs = [int(raw.Inputs(i)) for i in range(min(raw.InputsLength(), 4))]
    wanted = {"FULLY_CONNECTED": 3, "LOGISTIC": 1, "TANH": 1}.get(kind, 2)
    if kind == "FULLY_CONNECTED" and len(inputs) == 2:
        inputs.append(-1)
    if len(inputs) != wanted or raw.OutputsLength() != 1:
        raise TinylmError(f"Op {number} ({kind}) of the .tflite has {len(inputs)} inputs, {wanted} are needed.")
    checked = tuple(i if i == -1 and n == 2 else _index(i, tensors) for n, i in enumerate(inputs))
    return Op(kind, checked, _index(int(raw.Outputs(0)), tensors), _relu(raw, kind, number))


def _relu(raw: Any, kind: str, number: int) -> bool:
    """Whether the op ends in a RELU. Refuses other activations and options that change what the op means."""
    table = raw.BuiltinOptions()
    if table is None:
        return False
    if kind == "GATHER":
        options = tflite.GatherOptions()
        options.Init(table.Bytes, table.Pos)
        if options.Axis() or options.BatchDims():
            raise TinylmError(f"Op {number} (GATHER) of the .tflite gathers along axis {options.Axis()}, not 0.")
        return False
    wrapper = {
        "FULLY_CONNECTED": "FullyConnectedOptions",
        "ADD": "AddOptions",
        "SUB": "SubOptions",
        "MUL": "MulOptions",
    }
    if kind not in wrapper:
        return False
    options = getattr(tflite, wrapper[kind])()
    options.Init(table.Bytes, table.Pos)
    if kind == "FULLY_CONNECTED" and options.WeightsFormat():
        raise TinylmError(f"Op {number} (FULLY_CONNECTED) of the .tflite has shuffled weights.")
    activation = options.FusedActivationFunction()
    if activation not in (tflite.ActivationFunctionType.NONE, tflite.ActivationFunctionType.RELU):
        raise TinylmError(
            f"Op {number} ({kind}) of the .tflite has the fused activation {activation}; NONE or RELU is allowed."
        )
    return activation == tflite.ActivationFunctionType.RELU


def write_tflite(graph: Graph, description: str = "tinylm") -> bytes:
    """The graph as a .tflite; constants that are the same array share one buffer. Same graph, same bytes."""
    check_graph(graph)
    builder = flatbuffers.Builder(1 << 20)
    arrays: list[np.ndarray] = []
    tensors = [_write_tensor(builder, t, _buffer_of(t, arrays)) for t in graph.tensors]
    kinds = sorted({op.kind for op in graph.ops})
    ops = [_write_op(builder, op, kinds) for op in graph.ops]
    subgraph = _write_subgraph(builder, graph, tensors, ops)
    codes = [_write_code(builder, kind) for kind in kinds]
    buffers = [_write_buffer(builder, None), *(_write_buffer(builder, a) for a in arrays)]
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


def _buffer_of(tensor: Tensor, arrays: list[np.ndarray]) -> int:
    if tensor.values is None:
        return 0
    for i, array in enumerate(arrays):
        if array is tensor.values:
            return i + 1
    arrays.append(tensor.values)
    return len(arrays)


def _vector(builder: Any, offsets: list[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def _ints(builder: Any, values: tuple[int, ...]) -> int:
    return builder.CreateNumpyVector(np.array(values, np.int32))


def _write_buffer(builder: Any, array: np.ndarray | None) -> int:
    content = None
    if array is not None:
        # TensorFlow Lite wants constants 16-byte aligned in the file.
        raw = array.astype(array.dtype.newbyteorder("<")).tobytes()
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
        scale = builder.CreateNumpyVector(np.array([tensor.scale], np.float32))
        zero = builder.CreateNumpyVector(np.array([tensor.zero_point], np.int64))
        tflite.QuantizationParametersStart(builder)
        tflite.QuantizationParametersAddScale(builder, scale)
        tflite.QuantizationParametersAddZeroPoint(builder, zero)
        quantization = tflite.QuantizationParametersEnd(builder)
    tflite.TensorStart(builder)
    tflite.TensorAddShape(builder, shape)
    tflite.TensorAddType(builder, tflite.TensorType.INT8 if tensor.dtype == "int8" else tflite.TensorType.INT32)
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
_VERSIONS = {"FULLY_CONNECTED": 4, "ADD": 2, "SUB": 2, "MUL": 2, "LOGISTIC": 2, "TANH": 2, "GATHER": 2}
_OPTIONS = {"FULLY_CONNECTED": "FullyConnected", "ADD": "Add", "SUB": "Sub", "MUL": "Mul", "GATHER": "Gather"}


def _write_op(builder: Any, op: Op, kinds: list[str]) -> int:
    inputs, outputs = _ints(builder, op.inputs), _ints(builder, (op.output,))
    options, options_type = None, 0
    if op.kind in _OPTIONS:
        stem = _OPTIONS[op.kind] + "Options"
        options_type = getattr(tflite.BuiltinOptions, stem)
        getattr(tflite, stem + "Start")(builder)
        if op.relu:
            getattr(tflite, stem + "AddFusedActivationFunction")(builder, tflite.ActivationFunctionType.RELU)
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
