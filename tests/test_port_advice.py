"""What `port` says to write for a method of `.data` and `.grad`, run beside PyTorch's method itself."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tinygrad_conv.absent.array_methods import METHODS

from .test_port import IMPORTS, W, found

CALLS = """max(1)[0] max(1)[1] max() max(0,keepdim=True)[1] min(1)[0] min(dim=1)[1] max(other) min(other)
std() std(0) std(unbiased=False) std(1,keepdim=True) std(False) var() var(0)
var(dim=1,unbiased=False) transpose(0,1) transpose(-1,-2) repeat(2,1) repeat(2,1,3) nonzero()
sort()[0] sort(0)[1] sort(1,descending=True)[0] sum(dim=1) sum(1,True) mean(dim=0,keepdim=True)
prod(dim=1) all(dim=1) any(dim=0) argmax(dim=1) argmin(1,keepdim=True) cumsum(dim=1)
cumprod(dim=0) argsort(dim=0) argsort(descending=True) flatten(1) flatten() view(-1) view(2,6)
size() size(0) detach() cpu() contiguous() clone() float() double() long() int() bool() to(double)
type_as(other) numel() nelement() dim() ndimension() t() permute(1,0) unsqueeze(0) expand(2,3,4)
expand_as(other) view_as(other) reshape_as(other) flip(0) roll(1,0) norm() norm(2) norm(1)
norm(dim=1) norm(p=1,dim=0,keepdim=True) norm(2,1) amax(1) amin(dim=0) abs() exp() sqrt() sin()
cos() tan() tanh() sinh() cosh() sign() floor() ceil() square() log() log1p() expm1() trunc()
log2() log10() exp2() reciprocal() isnan() isinf() isfinite() logical_not() absolute() neg()
sigmoid() relu() rsqrt() pow(2) add(other) add(other,alpha=2) sub(other) sub(other,alpha=3)
mul(other) multiply(2) div(other) true_divide(2) matmul(right) mm(right) mv(vector) outer(vector)
maximum(other) minimum(other) allclose(other) isclose(other) equal(other) eq(other) ne(other)
lt(other) le(other) gt(other) ge(other) clamp(0.2,0.5) clamp(min=0.4) clamp(max=0.4)
clamp_min(0.4) clamp_max(0.4) index_select(1,places) gather(1,index) masked_select(mask)
masked_fill(mask,7.0) unique() count_nonzero() count_nonzero(0) argwhere() tril() triu(1) diag()
element_size() zero_() fill_(3) copy_(other) add_(other) add_(other,alpha=2) sub_(other)
sub_(other,alpha=2) mul_(other) div_(2) pow_(2) neg_() addcmul_(other,other)
addcmul_(other,other,value=2) addcdiv_(other,other) addcdiv_(other,other,value=2) lerp_(other,0.3)
clamp_(0.2,0.5) clamp_(min=0.4) clamp_(max=0.4) clamp_min_(0.4) clamp_max_(0.4) relu_() round_()
masked_fill_(mask,7.0) scatter_(1,index,5.0) fill_diagonal_(3) abs_() exp_() sqrt_() sin_() cos_()
tan_() tanh_() sinh_() cosh_() sign_() floor_() ceil_() square_() log_() log1p_() expm1_()
trunc_() log2_() log10_() exp2_() reciprocal_() logical_not_() half() byte() type(double)
detach_() requires_grad_(False) bmm(batch) numpy() new_zeros(2,3) new_ones((3,)) new_full((2,),7.0)""".split()
RANDOM = {"normal_", "uniform_", "bernoulli_"}
NEEDS_MORE = {"cuda", "pin_memory"} | {"isnan_", "isinf_", "isfinite_"} | {"squeeze"} | {"new", "new_empty"}
"""A GPU; to be methods of PyTorch's; a size of 1; numbers that are written."""


def numbers():
    """What the calls are made of: arrays, for PyTorch to be shared."""
    rng = np.random.default_rng(0)
    values = {name: rng.uniform(0.1, 0.9, (3, 4)).astype(np.float32) for name in ("w", "other")}
    values |= {
        "right": values["other"].T.copy(),
        "vector": values["other"][0].copy(),
        "mask": values["w"] > 0.5,
    }
    values["batch"] = np.stack([values["right"]] * 2)
    return values | {"places": np.array([2, 0]), "index": np.array([[0, 3], [1, 1], [2, 0]])}


def advised(call):
    """The value, and the array afterwards, of what is written instead of a method's call on an array."""
    values, name = numbers(), call.partition("(")[0]
    values["w"] = {"bmm": np.stack([values["w"]] * 2), "outer": values["vector"]}.get(name, values["w"])
    is_change = name.endswith("_") and not call.startswith(("detach", "requires"))
    line = f"w.data.{call}" if is_change else f"y = w.data.{call}"
    imports = IMPORTS + W + "double = torch.float64\nother = torch.zeros(3, 4).data\n"
    findings = found(line, imports)
    names = {**values, "np": np, "w": SimpleNamespace(data=values["w"]), "double": np.float64}
    exec(findings[0][1] if findings else line, names)
    return names.get("y"), names["w"].data


@pytest.mark.torch
@pytest.mark.parametrize("call", CALLS)
def test_what_to_write_gives_what_pytorch_gives(call):
    torch = pytest.importorskip("torch")
    values = {name: torch.tensor(array) for name, array in numbers().items()}
    name = call.partition("(")[0]
    w = {"bmm": torch.stack([values["w"]] * 2), "outer": values["vector"]}.get(name, values["w"])
    values["w"] = w
    result = eval(f"w.{call}", {**values, "double": torch.float64})
    ours, changed = advised(call)
    if ours is not None:
        result = tuple(result) if isinstance(result, torch.Size) else result
        np.testing.assert_allclose(ours, np.asarray(result), rtol=2e-5, atol=1e-6)
        assert np.shape(ours) == np.shape(result)
    np.testing.assert_allclose(changed, np.asarray(w), rtol=2e-5, atol=1e-6)


def test_every_method_of_the_table_is_called():
    called = {call.partition("(")[0] for call in CALLS}
    forgotten = ", ".join(sorted({*METHODS} - called - RANDOM - NEEDS_MORE))
    assert not forgotten, f"{forgotten}: write a call of it among CALLS, in this file"
    assert {*METHODS} - called == RANDOM | NEEDS_MORE


def test_the_calls_without_pytorch():
    assert advised("std()")[0] == pytest.approx(
        np.sqrt(((numbers()["w"] - numbers()["w"].mean()) ** 2).sum() / 11)
    )
    np.testing.assert_array_equal(advised("max(1)[1]")[0], numbers()["w"].argmax(1))
    np.testing.assert_array_equal(advised("transpose(0,1)")[0], numbers()["w"].T)
    np.testing.assert_array_equal(advised("repeat(2,1)")[0], np.concatenate([numbers()["w"]] * 2))
    np.testing.assert_array_equal(advised("zero_()")[1], 0)
    drawn = advised("normal_(5,0.1)")[1]
    assert drawn.shape == (3, 4) and 4 < drawn.min() < drawn.max() < 6
    assert 0 <= advised("uniform_()")[1].min() < advised("uniform_(2,3)")[1].min()
    assert {*advised("bernoulli_(0.5)")[1].ravel().tolist()} <= {0.0, 1.0}
