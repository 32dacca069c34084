"""Doors to other libraries, each imported when it is asked for.

onnx/    models as ONNX files
"""
