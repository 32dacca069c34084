"""Doors to other frameworks: each is imported when it is used, and needs an extra.

onnx/    models in ONNX's format: `tg.onnx`
"""
