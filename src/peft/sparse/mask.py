scores = {name: SCORE for name, p in matrices.items()}
least = torch.cat([s.flatten() for s in scores.values()]).topk(K).values[-1]
for name, p in matrices.items(): p.register_hook(lambda g, m=(scores[name] >= least): g * m)
