"""Milliseconds of the same training step in PyTorch on one thread, for `cargo xtask bench`. One JSON object a line.

Shapes and methods as in src/bench.rs, 4 heads each: S is d 128, 4 layers, vocabulary 256, batch 16, 64 tokens; rules is d 64, 4 layers,
vocabulary 20, batch 64, 9 tokens; s is d 32, 2 layers, vocabulary 64, batch 4, 16 tokens. ReLU, every token predicted, AdamW, global clip.
L is the model of large.json in transformers with PEFT's LoRA, batch 8, 32 tokens, of which the last is predicted: the head reads 8 rows.
Needs torch (2.15 was used), and for L transformers and peft. Measures the shapes that are named, else S, rules and s in rounds.
"""
import json, pathlib, statistics, sys, time
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


def ours(shape, method):
    """Model, vocabulary, batch, tokens, and the loss of ids and targets."""
    d, layers, vocab, batch, tokens = SHAPES[shape]
    model = Model(d, layers, 4, vocab, tokens)
    if method == "lora":
        model.requires_grad_(False)
        for block in model.blocks:
            block.q, block.v = Lora(block.q, 8), Lora(block.v, 8)
    loss = lambda ids, targets: F.cross_entropy(model(ids).reshape(-1, vocab), targets.reshape(-1))
    return model, vocab, batch, tokens, loss


def published(method):
    """The same of L."""
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(**json.loads(pathlib.Path(__file__).with_name("large.json").read_text()))
    model = LlamaForCausalLM(config)
    body, head = model.model, model.lm_head
    if method == "lora":
        model = get_peft_model(model, LoraConfig(r=8, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"))
    loss = lambda ids, targets: F.cross_entropy(head(body(ids).last_hidden_state[:, -1]), targets[:, -1])
    return model, config.vocab_size, 8, 32, loss


def step_ms(shape, method):
    """The median of some steps, and the least that processors computed in one, whatever else the machine did."""
    model, vocab, batch, tokens, loss_of = published(method) if shape == "L" else ours(shape, method)
    params = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(params, lr=1e-3, weight_decay=0)
    times, computed = [], []
    for _ in range(STEPS):
        ids, targets = torch.randint(vocab, (2, batch, tokens))
        start, process = time.perf_counter(), time.process_time()
        loss = loss_of(ids, targets)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        optimizer.step()
        loss.item()
        times.append((time.perf_counter() - start) * 1e3)
        computed.append((time.process_time() - process) * 1e3)
    return statistics.median(times), min(computed)


for shape in sys.argv[1:] or SHAPES:
    methods, rounds = (["lora"], 1) if shape == "L" else (["full", "lora"], ROUNDS)
    found = [{method: step_ms(shape, method) for method in methods} for _ in range(rounds)]
    for method in methods:
        # The quietest round: what else the machine does only ever makes steps longer.
        ms, cpu = (min(round[method][i] for round in found) for i in range(2))
        print(json.dumps({"where": "pytorch", "shape": shape, "method": method, "ms": ms, "cpu": cpu}), flush=True)
