"""Leaving with a model: as a program of torch, an ONNX graph, or a script that scores tables."""
