"""PyTorch, the work of `pytorch.ts`, told over pipes. The argument says where: `cpu` (eager, one thread), `cuda` (eager on
the card), `cuda-graphs` (a training step is captured once and replayed).

Each request is a line of JSON followed by the f32 arrays whose lengths it lists; each answer is a line of JSON, followed by
the f32 bytes of `predict`.
"""

import array
import json
import sys
import time

import torch
import torch.nn.functional as F

MODE = sys.argv[1]
DEVICE = "cpu" if MODE == "cpu" else "cuda"
torch.set_num_threads(1)
# The others compute in f32.
torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False


def read_request():
    line = sys.stdin.buffer.readline()
    if not line:
        return None
    request = json.loads(line)
    request["arrays"] = [
        torch.frombuffer(bytearray(sys.stdin.buffer.read(4 * n)), dtype=torch.float32) for n in request["lengths"]
    ]
    return request


def uploaded(request):
    return [values.to(DEVICE) for values in request["arrays"]]


def answer(value, data=b""):
    sys.stdout.buffer.write(json.dumps(value).encode() + b"\n" + data)
    sys.stdout.buffer.flush()


def to_torch(layer, weights):
    """Kernels from [in, out] to [out, in], from HWIO to OIHW; a LSTM's gates i, f, g, o are PyTorch's own."""
    if layer["type"] == "conv2d":
        return [weights[0].permute(3, 2, 0, 1), weights[1]]
    return [w.T if w.dim() == 2 else w for w in weights]


def activate(x, name):
    return {"linear": lambda v: v, "relu": torch.relu, "tanh": torch.tanh}[name](x)


class Model:
    def __init__(self, layers, shapes, values):
        self.layers, self.weights, modules = layers, [], []
        values = iter(values)
        for layer, layer_shapes in zip(layers, shapes):
            weights = to_torch(layer, [next(values).reshape(shape) for shape in layer_shapes])
            weights = [torch.nn.Parameter(w.contiguous().clone().to(DEVICE)) for w in weights]
            self.weights.append(weights)
            modules.append(self.make_lstm(weights) if layer["type"] == "lstm" else None)
        self.modules = modules
        self.parameters = [w for weights in self.weights for w in weights]

    @staticmethod
    def make_lstm(weights):
        kernel, recurrent, bias = weights
        lstm = torch.nn.LSTM(kernel.shape[1], recurrent.shape[1], batch_first=True, device=DEVICE)
        lstm.weight_ih_l0, lstm.weight_hh_l0, lstm.bias_ih_l0 = kernel, recurrent, bias
        lstm.bias_hh_l0.requires_grad_(False).zero_()
        return lstm

    def __call__(self, x):
        for layer, weights, module in zip(self.layers, self.weights, self.modules):
            kind = layer["type"]
            if kind == "dense":
                x = activate(F.linear(x, weights[0], weights[1]), layer["activation"])
            elif kind == "conv2d":
                image = x.permute(0, 3, 1, 2)
                x = activate(F.conv2d(image, weights[0], weights[1]), layer["activation"]).permute(0, 2, 3, 1)
            elif kind == "maxPool2d":
                x = F.max_pool2d(x.permute(0, 3, 1, 2), layer["size"]).permute(0, 2, 3, 1)
            elif kind == "flatten":
                x = x.reshape(x.shape[0], -1)
            elif kind == "lstm":
                x = module(x)[0][:, -1]
            else:
                raise ValueError(kind)
        return x


def make_optimizer(spec, parameters):
    # A captured step may not read its state from the host.
    captured = {"capturable": True} if MODE == "cuda-graphs" else {}
    if spec["type"] == "sgd":
        return torch.optim.SGD(parameters, lr=spec["rate"])
    if spec["type"] == "adam":
        return torch.optim.Adam(parameters, spec["rate"], (spec["beta1"], spec["beta2"]), spec["epsilon"], **captured)
    try:
        return torch.optim.RMSprop(parameters, spec["rate"], spec["rho"], spec["epsilon"], **captured)
    except TypeError:  # before 2.4 it reads no state
        return torch.optim.RMSprop(parameters, spec["rate"], spec["rho"], spec["epsilon"])


def loss_of(model, x, y, weights):
    weight = None if weights is None else weights[0] + (weights[1] - weights[0]) * y
    return F.binary_cross_entropy_with_logits(model(x), y, weight)


class EagerStep:
    def __init__(self, model, optimizer, request):
        self.model, self.optimizer, self.weights = model, optimizer, request["classWeight"]

    def __call__(self, x, y, rate):
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss = loss_of(self.model, x, y, self.weights)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss


class GraphStep:
    """Forward, backward and update of one batch size. A rate that changes is not part of a graph: then the update is not."""

    def __init__(self, model, optimizer, request):
        self.optimizer = optimizer
        self.whole = len(set(request["rates"])) == 1
        self.x = torch.zeros([request["sizes"][0], *request["input"]], device=DEVICE)
        self.y = torch.zeros([request["sizes"][0], 1], device=DEVICE)
        eager = EagerStep(model, optimizer, request)
        before = [p.detach().clone() for p in model.parameters]
        # What a first step sets up may not be captured. The weights and the state it changed are put back.
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                eager(self.x, self.y, request["rates"][0])
        torch.cuda.current_stream().wait_stream(stream)
        optimizer.zero_grad(set_to_none=True)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.loss = loss_of(model, self.x, self.y, eager.weights)
            self.loss.backward()
            if self.whole:
                optimizer.step()
        with torch.no_grad():
            for parameter, value in zip(model.parameters, before):
                parameter.copy_(value)
            for state in optimizer.state.values():
                for value in state.values():
                    if torch.is_tensor(value):
                        value.zero_()

    def __call__(self, x, y, rate):
        self.x.copy_(x)
        self.y.copy_(y)
        self.graph.replay()
        if not self.whole:
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            self.optimizer.step()
        return self.loss


def train(step, request):
    """Every batch: rows of x, labels, and the learning rate."""
    arrays, loss = iter(uploaded(request)), None
    for size, rate in zip(request["sizes"], request["rates"]):
        x = next(arrays).reshape([size, *request["input"]])
        y = next(arrays).reshape(size, 1)
        loss = step(x, y, rate)
    return loss.item()


def milliseconds(begin):
    """The time it took here: the pipe's own is not PyTorch's."""
    return 1000 * (time.perf_counter() - begin)


def predict(model, request):
    with torch.no_grad():
        return torch.sigmoid(model(uploaded(request)[0].reshape([-1, *request["input"]]))).cpu()


def main():
    if DEVICE == "cuda" and not torch.cuda.is_available():
        answer({"unavailable": "PyTorch sees no CUDA device"})
        return
    where = {"threads": str(torch.get_num_threads())} if DEVICE == "cpu" else {"gpu": torch.cuda.get_device_name()}
    answer({"torch": torch.__version__, **where})
    model = optimizer = step = factors = None
    while (request := read_request()) is not None:
        kind = request["kind"]
        if kind == "model":
            model = Model(request["layers"], request["shapes"], request["arrays"])
            optimizer = make_optimizer(request["optimizer"], model.parameters)
            step = None
            answer({})
        elif kind == "train":
            begin = time.perf_counter()
            if step is None:
                step = (GraphStep if MODE == "cuda-graphs" else EagerStep)(model, optimizer, request)
            loss = train(step, request)
            answer({"value": loss, "ms": milliseconds(begin)})
        elif kind == "predict":
            begin = time.perf_counter()
            scores = predict(model, request)
            header = {"lengths": [scores.numel()], "ms": milliseconds(begin)}
            answer(header, array.array("f", scores.flatten().tolist()).tobytes())
        elif kind == "factors":
            factors = [values.reshape(request["n"], request["n"]) for values in uploaded(request)]
            answer({})
        elif kind == "multiply":
            begin = time.perf_counter()
            corner = torch.matmul(*factors)[0, 0].item()
            answer({"value": corner, "ms": milliseconds(begin)})


main()
