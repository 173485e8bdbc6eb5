"""PyTorch on the CPU, eager, one thread: the work of `pytorch.ts`, told over pipes.

Each request is a line of JSON followed by the f32 arrays whose lengths it lists; each answer is a line of JSON, followed by
the f32 bytes of `predict`.
"""

import array
import json
import sys
import time

import torch
import torch.nn.functional as F

torch.set_num_threads(1)


def read_request():
    line = sys.stdin.buffer.readline()
    if not line:
        return None
    request = json.loads(line)
    request["arrays"] = [
        torch.frombuffer(bytearray(sys.stdin.buffer.read(4 * n)), dtype=torch.float32) for n in request["lengths"]
    ]
    return request


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
            weights = [torch.nn.Parameter(w.contiguous().clone()) for w in weights]
            self.weights.append(weights)
            modules.append(self.make_lstm(weights) if layer["type"] == "lstm" else None)
        self.modules = modules
        self.parameters = [w for weights in self.weights for w in weights]

    @staticmethod
    def make_lstm(weights):
        kernel, recurrent, bias = weights
        lstm = torch.nn.LSTM(kernel.shape[1], recurrent.shape[1], batch_first=True)
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
    if spec["type"] == "sgd":
        return torch.optim.SGD(parameters, lr=spec["rate"])
    if spec["type"] == "adam":
        return torch.optim.Adam(parameters, spec["rate"], (spec["beta1"], spec["beta2"]), spec["epsilon"])
    return torch.optim.RMSprop(parameters, spec["rate"], spec["rho"], spec["epsilon"])


def train(model, optimizer, request):
    """Every batch: rows of x, labels, and the learning rate."""
    arrays, loss = iter(request["arrays"]), None
    weights = request["classWeight"]
    for size, rate in zip(request["sizes"], request["rates"]):
        x = next(arrays).reshape([size, *request["input"]])
        y = next(arrays).reshape(size, 1)
        weight = None if weights is None else weights[0] + (weights[1] - weights[0]) * y
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = F.binary_cross_entropy_with_logits(model(x), y, weight)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


def timed(body):
    """The value, and the milliseconds it took here: the pipe's own time is not PyTorch's."""
    start = time.perf_counter()
    value = body()
    return value, 1000 * (time.perf_counter() - start)


def predict(model, request):
    with torch.no_grad():
        return torch.sigmoid(model(request["arrays"][0].reshape([-1, *request["input"]])))


def main():
    answer({"torch": torch.__version__, "threads": str(torch.get_num_threads())})
    model = optimizer = factors = None
    while (request := read_request()) is not None:
        kind = request["kind"]
        if kind == "model":
            model = Model(request["layers"], request["shapes"], request["arrays"])
            optimizer = make_optimizer(request["optimizer"], model.parameters)
            answer({})
        elif kind == "train":
            loss, ms = timed(lambda: train(model, optimizer, request))
            answer({"value": loss, "ms": ms})
        elif kind == "predict":
            scores, ms = timed(lambda: predict(model, request))
            answer({"lengths": [scores.numel()], "ms": ms}, array.array("f", scores.flatten().tolist()).tobytes())
        elif kind == "factors":
            factors = [values.reshape(request["n"], request["n"]) for values in request["arrays"]]
            answer({})
        elif kind == "multiply":
            corner, ms = timed(lambda: torch.matmul(*factors)[0, 0].item())
            answer({"value": corner, "ms": ms})


main()
