start = {name: p.detach().clone() for name, p in matrices.items()}
first = torch.optim.AdamW(matrices.values(), lr=5e-3, weight_decay=0.0)
for _ in range(max(min(STEPS // 2, 150), 1)):
    tokens, n = draw()
    logits = model(input_ids=torch.tensor([tokens])).logits[0, -n - 1 : -1]
    F.cross_entropy(*among(logits, torch.tensor(tokens[-n:]))).backward()
    first.step(); first.zero_grad()
