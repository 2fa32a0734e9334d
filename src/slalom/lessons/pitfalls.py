"""What errors of PyTorch that learners meet mean, and what to change."""

from slalom.lessons.prose import Text

# A part of the error as torch or Python writes it, and what to say of it.
_PITFALLS = {
    "'NoneType'": Text(
        "Something is None. A gradient is None until backward() has run; and w = w − … makes a new "
        "tensor, whose gradient is never kept: write w -= … within torch.no_grad().",
        "有个值是 None。backward() 运行之前，梯度是 None；而 w = w − … 会得到一个新的张量，"
        "它的梯度不会保留：应该在 torch.no_grad() 里写 w -= …。",
    ),
    "does not require grad and does not have a grad_fn": Text(
        "Nothing in this result asks for a gradient. Was the tensor made with requires_grad=True? "
        "Within torch.no_grad(), w = w − … makes a tensor without it; w -= … keeps it.",
        "这个结果里没有任何东西需要梯度。创建张量时写了 requires_grad=True 吗？"
        "在 torch.no_grad() 里，w = w − … 会得到一个不需要梯度的张量，w -= … 则不会。",
    ),
    "a leaf Variable that requires grad": Text(
        "Autograd would follow this change of w. Put it into torch.no_grad().",
        "自动求导会跟踪对 w 的这次改动。请把它写在 torch.no_grad() 里。",
    ),
    "backward through the graph a second time": Text(
        "backward() lets go of the graph. Compute the loss anew before the next backward().",
        "backward() 之后图就释放了。下一次 backward() 之前，要重新计算损失。",
    ),
    "grad can be implicitly created only for scalar": Text(
        "backward() starts from one number. Take the mean or the sum first.",
        "backward() 要从一个数出发。先取平均或者求和。",
    ),
    "Tensor that requires grad. Use tensor.detach()": Text(
        "The tensor hangs on a graph: write .detach() before .numpy().",
        "这个张量连着一张图：在 .numpy() 之前写 .detach()。",
    ),
    "shapes cannot be multiplied": Text(
        "The rows have another number of columns than the layer expects. A column of N numbers has "
        "the shape (N, 1), and the first number of Linear is the number of columns.",
        "数据的列数与这一层要求的不同。N 行的列向量形状是 (N, 1)，Linear 的第一个数就是列数。",
    ),
    "the same dtype": Text(
        "float32 and float64 meet. Numbers from NumPy are float64: .float() makes float32.",
        "float32 和 float64 混在了一起。来自 NumPy 的数是 float64：用 .float() 变成 float32。",
    ),
    "target dtype to be Long": Text(
        "Labels of classes are whole numbers: .long() makes int64.",
        "类别的标签是整数：用 .long() 变成 int64。",
    ),
    "multi-target not supported": Text(
        "Labels of N rows have the shape (N,): one number a row, without a second dimension.",
        "类别标签的形状应是 (N,)，N 是行数：每行一个数，只有一维。",
    ),
    "is out of bounds": Text(
        "A label is as large as the number of classes, or larger. The first class is 0.",
        "有的标签不小于类别的个数。第一个类别是 0。",
    ),
    "target with class probabilities": Text(
        "One-hot rows are taken for probabilities, which are no whole numbers: write .float() "
        "behind one_hot(...).",
        "独热编码被当作概率，而概率要用小数：写成 one_hot(...).float()。",
    ),
    "is not a Module subclass": Text(
        "Each part must be a module: torch.nn.Tanh() with brackets, not torch.tanh. A list of "
        "parts goes in with a star, Sequential(*parts), or into a ModuleList.",
        "每个部件都必须是模块：写 torch.nn.Tanh()，要带括号，而不是 torch.tanh。一列部件要加星号，"
        "Sequential(*parts)，或者放进 ModuleList。",
    ),
    "Boolean value of Tensor": Text(
        "The tensor holds several numbers, and an if cannot decide for all at once. torch.where, "
        "torch.clamp and torch.relu work entry by entry.",
        "张量里有好几个数，一个 if 不能对每个数分别作判断。torch.where、torch.clamp 和 torch.relu "
        "会逐个元素计算。",
    ),
    "params argument given to the optimizer": Text(
        "An optimizer takes a list of parameters: net.parameters(), or [w] for a single one.",
        "优化器要的是一列参数：net.parameters()，只有一个时写 [w]。",
    ),
    "Weights only load failed": Text(
        "The file holds more than tensors, texts and numbers: an entire net, as it seems. Save "
        "net.state_dict() instead.",
        "文件里不只是张量、字符串和数，看来是整个网络。应该保存 net.state_dict()。",
    ),
    "loading state_dict": Text(
        "Names or shapes do not fit the net. Is this the state dict itself, and not a dictionary "
        "around it? Does each tensor go to the layer of its shape?",
        "名字或形状与网络对不上。交给 load_state_dict 的是状态字典本身，还是装着它的大字典？"
        "要的是前者。"
        "每个张量都放到了形状相同的层里吗？",
    ),
    "must match the size of tensor": Text(
        "Two tensors of different lengths meet. Do both belong to the same rows, such as "
        "net(batch_x) and batch_y?",
        "两个长度不同的张量碰到了一起。它们属于同样的行吗？例如 net(batch_x) 和 batch_y。",
    ),
    "cannot be converted to Scalar": Text(
        ".item() takes one number out of a tensor of one number; .tolist() takes them all.",
        ".item() 从只有一个数的张量里取出那个数；.tolist() 则取出所有的数。",
    ),
}


def pitfall(error: str) -> Text:
    """What is meant by an error, and what to change; nothing for one that is not known.

    >>> pitfall("IndexError: Target 2 is out of bounds.").en
    'A label is as large as the number of classes, or larger. The first class is 0.'
    >>> pitfall("ZeroDivisionError: division by zero").en
    ''
    """
    return next((text for part, text in _PITFALLS.items() if part in error), Text("", ""))
