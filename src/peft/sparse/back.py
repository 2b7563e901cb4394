with torch.no_grad():
    for name, p in matrices.items(): p.copy_(start[name])
