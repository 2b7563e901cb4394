prefix = {i: torch.nn.Parameter(torch.randn(2, N, WIDTH) * torch.tensor([0.5, 0.1]).view(2, 1, 1)) for i in LAYERS}
extra.extend(prefix.values())
own = lambda layer: prefix[layer]
