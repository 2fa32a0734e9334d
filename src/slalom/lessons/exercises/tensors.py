"""Exercises of the lesson on tensors and NumPy."""

from math import sqrt, tanh

from slalom.lessons.exercise import Check, Exercise, near
from slalom.lessons.prose import Text

_IMPORTS = "import numpy as np\nimport torch\n"

# Three rides through a layer of two neurons: each sum is -1, 0 or 1.
_LAYER = """import torch

inputs = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
weights = torch.tensor([[0.5, -1.5], [-0.5, 0.5]])
biases = torch.tensor([0.5, 0.5])
"""
_VALUES = [[tanh(1), -tanh(1)], [0, tanh(1)], [tanh(0.5), -tanh(0.5)]]

# Means 3 and 20, standard deviations (divided by n) 2 and 10.
_TABLE = f"""{_IMPORTS}
table = np.array([[1.0, 10.0], [1.0, 30.0], [5.0, 10.0], [5.0, 30.0]])
"""
_ROWS = [[1.0, 10.0], [1.0, 30.0], [5.0, 10.0], [5.0, 30.0]]

EXERCISES = (
    Exercise(
        task=Text(
            "Make a tensor of dtype float32 from the table 1 2 3 / 4 5 6 and call it `t`. Put its "
            "dtype as text into `dtype`, the mean of each column into `means`, and its matrix "
            "product with the column 1, 0, −1 into `product`.",
            "把表 1 2 3 / 4 5 6 做成数据类型为 float32 的张量 `t`。把它的数据类型（字符串）放进 "
            "`dtype`，每列的平均值放进 `means`，它与列 1, 0, −1 的矩阵乘积放进 `product`。",
        ),
        start="import torch\n\nt = torch.tensor([[1, 2, 3], [4, 5, 6]])\n"
        "dtype = str(t.dtype)\n\n# your turn ‖ 轮到你了\nmeans = 0\nproduct = 0\n",
        checks=(
            Check(
                ("t", "dtype"),
                lambda t, dtype: t == [[1, 2, 3], [4, 5, 6]] and dtype == "torch.float32",
                Text("t is a table of float32.", "t 是 float32 的表。"),
                Text(
                    "From whole numbers torch makes int64. Write one of them with a point, or add "
                    "dtype=torch.float32. And dtype should be text: str(t.dtype).",
                    "由整数创建时，torch 得到 int64。把其中一个数写成小数，或者加上 dtype=torch.float32。"
                    "另外，dtype 应该是字符串：str(t.dtype)。",
                ),
            ),
            Check(
                ("means",),
                near([2.5, 3.5, 4.5]),
                Text(
                    "The means of the columns are 2.5, 3.5 and 4.5.",
                    "各列的平均值是 2.5、3.5 和 4.5。",
                ),
                Text(
                    "There are three columns, so there are three means: with dim=0 the rows are "
                    "averaged away.",
                    "有三列，就有三个平均值：dim=0 把各行上下合并，每列得到一个平均值；dim=1 才是每行一个。",
                ),
            ),
            Check(
                ("product",),
                lambda product: product in ([-2, -2], [[-2], [-2]]),
                Text("The product is −2 for both rows.", "两行的乘积都是 −2。"),
                Text(
                    "By hand: 1·1 + 2·0 + 3·(−1) = −2, and the same for the second row. Use @ (the "
                    "sides of @ must have the same dtype).",
                    "手算：1·1 + 2·0 + 3·(−1) = −2，第二行也一样。请用 @（@ 两边的数据类型必须相同）。",
                ),
            ),
        ),
        solution="""import torch

t = torch.tensor([[1.0, 2, 3], [4, 5, 6]])
dtype = str(t.dtype)
means = t.mean(dim=0)
product = t @ torch.tensor([1.0, 0, -1])
""",
    ),
    Exercise(
        task=Text(
            "Three rows go through a layer of two neurons with tanh. Each row of `weights` belongs "
            "to an input, each column to a neuron. Put the values of the neurons into `values`, a "
            "row for each row, and the shape of `values` as a list into `shape`. No loop is "
            "needed.",
            "三行输入通过一个有两个 tanh 神经元的层。`weights` 的每一行对应一个输入，每一列对应一个神经元。"
            "把神经元的值放进 `values`（每行输入对应一行），把 `values` 的形状作为列表放进 `shape`。不需要循环。",
        ),
        start=f"{_LAYER}\n# your turn ‖ 轮到你了\nvalues = inputs * weights[0]\nshape = list(values.shape)\n",
        checks=(
            Check(
                ("shape",),
                lambda shape: shape == [3, 2],
                Text("Three rows, two neurons.", "三行，两个神经元。"),
                Text(
                    "values should have 3 rows and 2 columns: shape is [3, 2].",
                    "values 应该有 3 行 2 列：shape 是 [3, 2]。",
                ),
            ),
            Check(
                ("values",),
                near(_VALUES),
                Text("The values are right in all rows.", "每一行的值都对。"),
                Text(
                    "The first row is tanh(0.5 + 0.5) and tanh(−1.5 + 0.5). Rows times columns is "
                    "@, then come the biases, and tanh last.",
                    "第一行是 tanh(0.5 + 0.5) 和 tanh(−1.5 + 0.5)。行乘以列用 @，然后加偏置，最后才是 tanh。",
                ),
            ),
        ),
        solution=f"""{_LAYER}
values = torch.tanh(inputs @ weights + biases)
shape = list(values.shape)
""",
    ),
    Exercise(
        task=Text(
            "Nets learn best from columns with the mean 0 and the standard deviation 1. Make such a "
            "tensor of float32 from the NumPy `table`: subtract from each column its mean and "
            "divide by its standard deviation, the one of NumPy (divided by n). Call it `scaled`, "
            "put its dtype as text into `dtype`, and leave `table` as it is. The script below "
            "makes three mistakes.",
            "各列的平均值为 0、标准差为 1 时，网络学得最好。请由 NumPy 的 `table` 得到这样一个 float32 张量："
            "每列减去平均值，再除以标准差（用 NumPy 的，即除以 n 的那种）。张量叫 `scaled`，它的数据类型（字符串）放进 "
            "`dtype`，而 `table` 要保持原样。下面的脚本有三处错误。",
        ),
        start=f"""{_TABLE}
scaled = torch.from_numpy(table)
scaled -= scaled.mean(dim=0)
scaled /= scaled.std(dim=0)
dtype = str(scaled.dtype)
""",
        checks=(
            Check(
                ("table",),
                near(_ROWS),
                Text("The table is what it was.", "table 保持原样。"),
                Text(
                    "The table has changed: from_numpy shares its memory, and -= and /= write into "
                    "it. Make a copy, or new tensors with - and /.",
                    "table 变了：from_numpy 与它共用内存，而 -= 和 /= 会写进去。请先复制，或者用 - 和 / 得到新的张量。",
                ),
            ),
            Check(
                ("scaled",),
                near([[-1, -1], [-1, 1], [1, -1], [1, 1]]),
                Text("Every entry is 1 or −1.", "每个元素都是 1 或 −1。"),
                Text(
                    f"Every entry should be 1 or −1. If they are ±{sqrt(3) / 2:.3f}, the standard "
                    "deviation was divided by n − 1: torch needs correction=0.",
                    f"每个元素都应该是 1 或 −1。如果得到 ±{sqrt(3) / 2:.3f}，说明标准差除的是 n − 1：torch 需要 correction=0。",
                ),
            ),
            Check(
                ("dtype",),
                lambda dtype: dtype == "torch.float32",
                Text("The dtype is float32.", "数据类型是 float32。"),
                Text(
                    "The table is float64, and so is its tensor. float() makes float32.",
                    "table 是 float64，由它得到的张量也是。float() 得到 float32。",
                ),
            ),
        ),
        solution=f"""{_TABLE}
copy = torch.tensor(table)
scaled = ((copy - copy.mean(dim=0)) / copy.std(dim=0, correction=0)).float()
dtype = str(scaled.dtype)
""",
    ),
)
