"""KLDivLoss is given the student's probabilities, though it expects their logarithms.

Reason: KLDivLoss wants log-probabilities as its input: use log_softmax for the student. With probabilities
the loss is negative and drives the student to put everything on a single class.
Line: student_probabilities = F.softmax(student(x), dim=1)
Words: log_softmax|logsoftmax|log-softmax|log-prob|log prob|logarithm|log of|logs of, kl|softmax|student|
input|prob
Harm: the loss is negative and the mean distance to the teacher's probabilities is 0.28, mended 0.006.
"""

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.nn import functional as F


def make_teacher():
    tg.manual_seed(22)
    teacher = nn.Sequential(nn.Linear(6, 64), nn.Tanh(), nn.Linear(64, 4))
    for parameter in teacher.parameters():
        parameter.requires_grad_(False)
    return teacher.eval()


def distil(teacher, student, steps=80, temperature=1.0):
    divergence = nn.KLDivLoss(reduction="batchmean")
    optimizer = optim.Adam(student.parameters(), lr=0.02)
    for step in range(steps):
        x = tg.randn(64, 6)
        with tg.no_grad():
            teacher_probabilities = F.softmax(teacher(x) / temperature, dim=1)
        student_probabilities = F.softmax(student(x), dim=1)
        loss = divergence(student_probabilities, teacher_probabilities)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 20 == 0:
            print(f"[{step}] distillation loss {loss.item():.4f}")


if __name__ == "__main__":
    teacher = make_teacher()
    student = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 4))
    distil(teacher, student)
    x = tg.randn(200, 6)
    gap = (F.softmax(student(x), dim=1) - F.softmax(teacher(x), dim=1)).abs().mean().item()
    print(f"mean distance to the teacher: {gap:.4f}")
