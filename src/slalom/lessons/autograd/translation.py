"""An expression that has been understood, as the PyTorch code that computes it."""

import ast

from slalom.lessons.autograd.expression import CONSTANTS, FUNCTIONS, parse


def torch_code(expression: str) -> str:
    """What a script says for an expression.

    >>> torch_code("norm([[3, 4]] @ v) + exp(2)*pi")
    'torch.linalg.norm(torch.tensor([[3.0, 4.0]]) @ v) + torch.exp(torch.tensor(2.0)) * torch.pi'
    """
    return ast.unparse(_InTorch().visit(parse(expression)))


class _WithPoints(ast.NodeTransformer):
    """All numbers as 2.0: whole numbers of Python could grow beyond what a tensor takes."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Constant(float(str(node.value)))

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return _code(f"torch.{node.id}") if node.id in CONSTANTS else node


class _InTorch(_WithPoints):
    """Functions by their names in PyTorch, tables as tensors."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        if _is_plain(node):
            return _WithPoints().visit(node)  # type: ignore[no-any-return]
        node.left, node.right = self._operand(node.left), self._operand(node.right)
        return node

    def _operand(self, node: ast.expr) -> ast.expr:
        """Next to a tensor a short whole number is as good, and reads better."""
        short = isinstance(node, ast.Constant) and len(str(node.value)) <= 15
        return node if short else self.visit(node)

    def visit_List(self, node: ast.List) -> ast.expr:
        return _code(f"torch.tensor({ast.unparse(_WithPoints().visit(node))})")

    def visit_Call(self, node: ast.Call) -> ast.expr:
        assert isinstance(node.func, ast.Name)
        return _code(f"{FUNCTIONS[node.func.id]}({', '.join(map(self._argument, node.args))})")

    def _argument(self, node: ast.expr) -> str:
        """A function of PyTorch takes tensors only."""
        plain = _is_plain(node)
        code = ast.unparse(self.visit(node))
        return f"torch.tensor({code})" if plain else code


def _is_plain(tree: ast.expr) -> bool:
    """Whether Python alone computes it, without a tensor."""
    parts = list(ast.walk(tree))
    names = {node.id for node in parts if isinstance(node, ast.Name)}
    tensors = (ast.List, ast.Call, ast.Attribute)
    return names <= set(CONSTANTS) and not any(isinstance(node, tensors) for node in parts)


def _code(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body
