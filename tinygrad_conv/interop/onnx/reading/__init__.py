"""From a file of anybody's to a Module. In the order in which a file goes through them:

loading.py           `load`: a path, bytes or a model → a GraphModule
tensors.py           tensors in the file, whose sizes are compared with their bytes; ONNX's numbers of dtypes
external.py          tensors in files beside it, and in no others
graph.py             the graph: every name is made once, before it is read; no loops, no subgraphs
attributes.py        attributes of a node, of the types that its schema says in the model's version of ONNX
node.py              a node: its operator, version, attributes, and how it refuses
initializers.py      which are parameters, which follow a training, which stay; keys in a tree of modules
module.py            GraphModule: the steps one after the other
"""
