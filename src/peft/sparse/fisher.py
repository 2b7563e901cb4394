fisher = {name: torch.zeros_like(p) for name, p in matrices.items()}
for _ in range(64):
    tokens, n = draw()
    logits = model(input_ids=torch.tensor([tokens])).logits[0, -n - 1 : -1]
    F.cross_entropy(*among(logits, torch.tensor(tokens[-n:]))).backward()
    for name, p in matrices.items(): fisher[name] += p.grad ** 2; p.grad = None
