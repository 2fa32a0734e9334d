"""Which lesson explains which word, in the order of the lessons.

A word is used only from the lesson on that explains it, where it stands in bold letters.
"""

from typing import NamedTuple


class Word(NamedTuple):
    """A word of the field: in English (its stem), in Chinese, and the lesson that explains it."""

    en: str
    zh: str
    lesson: str


WORDS = tuple(
    Word(en, zh, lesson)
    for lesson, words in {
        "network": {
            "row": "行",
            "seed": "种子",
            "neuron": "神经元",
            "weight": "权重",
            "bias": "偏置",
            "layer": "层",
            "activation function": "激活函数",
            "parameter": "参数",
            "prediction": "预测",
            "loss": "损失",
            "training": "训练",
            "gradient": "梯度",
            "gradient descent": "梯度下降",
            "learning rate": "学习率",
            "step": "步",
            "diverge": "发散",
            "backpropagation": "反向传播",
        },
        "tensors": {
            "tensor": "张量",
            "array": "数组",
            "shape": "形状",
            "dtype": "数据类型",
            "matrix product": "矩阵乘积",
            "elementwise": "逐元素",
        },
        "autograd": {
            "autograd": "自动求导",
            "computational graph": "计算图",
            "chain rule": "链式法则",
            "finite difference": "有限差分",
            "detach": "分离",
            "derivative": "导数",
        },
        "activations": {
            "relu": "relu",
            "softmax": "softmax",
            "probabilities": "概率",
            "saturat": "饱和",
            "vanish": "消失",
            "explod": "爆炸",
            "convolutional": "卷积",
            "recurrent": "循环",
        },
        "regression": {
            "regression": "回归",
            "noise": "噪声",
            "mean squared error": "均方误差",
            "optimizer": "优化器",
            "SGD": "SGD",
        },
        "classification": {
            "classification": "分类",
            "class": "类别",
            "logit": "logit",
            "cross entropy": "交叉熵",
            "accuracy": "准确率",
            "decision region": "决策区域",
        },
        "building": {"module": "模块"},
        "saving": {"state dict": "状态字典", "pickle": "pickle"},
        "batches": {
            "mini-batch": "小批量",
            "batch size": "批大小",
            "epoch": "轮次",
            "shuffl": "打乱",
        },
        "race": {"momentum": "动量", "population": "种群", "Adam": "Adam"},
        "transfer": {"transfer": "迁移", "trunk": "主干"},
        "structures": {"filter": "滤波器", "hidden state": "隐藏状态"},
        "overfitting": {
            "overfit": "过拟合",
            "validation": "验证",
            "dropout": "dropout",
            "early stopping": "提前停止",
        },
        "map": {"hyperparameter": "超参数", "fractal": "分形"},
    }.items()
    for en, zh in words.items()
)
