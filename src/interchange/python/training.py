trained = [p for p in model.parameters() if p.requires_grad] + extra
count = sum(p.numel() for p in trained) - held if counted is None else counted
print(f"trainable: {count:,}")

def answers(logits, rows):
    """Logits in front of each answer's tokens; virtual tokens, if the method has some, stand at the front."""
    first = logits.shape[1] - max(len(t) for t, _ in rows)
    return [(logits[i, first + len(t) - n - 1 : first + len(t) - 1], torch.tensor(t[-n:])) for i, (t, n) in enumerate(rows)]

def forward(rows):
    width = max(len(t) for t, _ in rows)
    ids = torch.tensor([t + [0] * (width - len(t)) for t, _ in rows])
    # Padding stands at the right, where causal attention does not look.
    return answers(apply(ids, torch.ones_like(ids)), rows)

if trained and STEPS:
    optimizer = torch.optim.AdamW(trained, lr=RATE, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)
    rate = lambda s: min((s + 1) / (0.05 * STEPS), 1.0) * (1 - s / STEPS)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    for step in range(STEPS):
        before_step(step)
        scored = [among(*row) for row in forward([draw() for _ in range(BATCH)])]
        loss = F.cross_entropy(torch.cat([z for z, _ in scored]), torch.cat([t for _, t in scored]))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step(); schedule.step(); optimizer.zero_grad()
        if step % 20 == 0 or step == STEPS - 1: print(f"step {step + 1}: loss {loss.item():.4f}")

