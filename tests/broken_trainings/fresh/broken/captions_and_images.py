"""The similarity of an image and its own caption is minimised, which pushes the pairs apart.

Reason: the loss has the wrong sign: the cosine similarity of matching pairs is minimised, though it should
be maximised (1 - similarity, or its negative).
Line: loss = F.cosine_similarity(image_encoder(images), text_encoder(captions)).mean()
Words: sign|minimi|maximi|negat|wrong way|wrong direction|opposite|1 -|apart, similar|cosine|loss
Harm: the similarity of the pairs goes to -0.99, mended to 0.99.
"""

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.nn import functional as F

tg.manual_seed(17)


def encoder(inputs, outputs=8):
    return nn.Sequential(nn.Linear(inputs, 32), nn.GELU(), nn.Linear(32, outputs))


image_encoder = encoder(20)
text_encoder = encoder(10)
parameters = list(image_encoder.parameters()) + list(text_encoder.parameters())
optimizer = optim.AdamW(parameters, lr=3e-3)

# an image and its caption are two views of the same meaning
seen = tg.randn(4, 20)
told = tg.randn(4, 10)


def pairs(count):
    meaning = tg.randn(count, 4)
    return meaning @ seen + 0.1 * tg.randn(count, 20), meaning @ told + 0.1 * tg.randn(count, 10)


for step in range(1, 61):
    images, captions = pairs(32)
    loss = F.cosine_similarity(image_encoder(images), text_encoder(captions)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 20 == 0:
        print("step", step, "loss", loss.item())

with tg.no_grad():
    images, captions = pairs(100)
    similarity = F.cosine_similarity(image_encoder(images), text_encoder(captions))
print("similarity of matching pairs:", similarity.mean().item())
