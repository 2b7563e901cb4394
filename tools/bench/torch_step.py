"""Milliseconds of the same training step in PyTorch on one thread, for `cargo xtask bench`. One JSON object a line.

Shapes and methods as in src/bench.rs, 4 heads each: S is d 128, 4 layers, vocabulary 256, batch 16, 64 tokens; rules is d 64, 4 layers,
vocabulary 20, batch 64, 9 tokens; s is d 32, 2 layers, vocabulary 64, batch 4, 16 tokens. ReLU, every token predicted, AdamW, global clip.
Needs only torch (2.15 was used).
"""
import json, statistics, time
import torch, torch.nn as nn, torch.nn.functional as F

torch.set_num_threads(1)
torch.manual_seed(0)


class Lora(nn.Module):
    def __init__(self, linear, rank):
        super().__init__()
        self.linear = linear
        self.a = nn.Parameter(torch.randn(rank, linear.in_features) * 0.05)
        self.b = nn.Parameter(torch.zeros(linear.out_features, rank))

    def forward(self, x):
        return self.linear(x) + F.linear(F.linear(x, self.a), self.b) * 2


class Block(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.q, self.k, self.v, self.o = (nn.Linear(d, d) for _ in range(4))
        self.fc1, self.fc2 = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

    def forward(self, x):
        b, t, d = x.shape
        n = self.norm1(x)
        q, k, v = (m(n).view(b, t, self.heads, -1).transpose(1, 2) for m in (self.q, self.k, self.v))
        a = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(b, t, d)
        x = x + self.o(a)
        return x + self.fc2(F.relu(self.fc1(self.norm2(x))))


class Model(nn.Module):
    def __init__(self, d, layers, heads, vocab, tokens):
        super().__init__()
        self.tok, self.pos = nn.Embedding(vocab, d), nn.Embedding(tokens, d)
        self.blocks = nn.ModuleList(Block(d, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(d)

    def forward(self, ids):
        x = self.tok(ids) + self.pos.weight
        for block in self.blocks:
            x = block(x)
        return F.linear(self.norm(x), self.tok.weight)


SHAPES = {"S": (128, 4, 256, 16, 64), "rules": (64, 4, 20, 64, 9), "s": (32, 2, 64, 4, 16)}
ROUNDS, STEPS = 7, 9


def step_ms(shape, method):
    """The median of some steps."""
    d, layers, vocab, batch, tokens = SHAPES[shape]
    model = Model(d, layers, 4, vocab, tokens)
    if method == "lora":
        model.requires_grad_(False)
        for block in model.blocks:
            block.q, block.v = Lora(block.q, 8), Lora(block.v, 8)
    params = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(params, lr=1e-3, weight_decay=0)
    times = []
    for _ in range(STEPS):
        ids, targets = torch.randint(vocab, (2, batch, tokens))
        start = time.perf_counter()
        loss = F.cross_entropy(model(ids).reshape(-1, vocab), targets.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        optimizer.step()
        loss.item()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


for shape in SHAPES:
    rounds = [{method: step_ms(shape, method) for method in ("full", "lora")} for _ in range(ROUNDS)]
    for method in ("full", "lora"):
        # The quietest round: what else the machine does only ever makes steps longer.
        ms = min(found[method] for found in rounds)
        print(json.dumps({"where": "pytorch", "shape": shape, "method": method, "ms": ms}), flush=True)
