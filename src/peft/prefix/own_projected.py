E = torch.nn.Parameter(torch.randn(N, WIDTH))
mlp = torch.nn.Sequential(torch.nn.Linear(WIDTH, HIDDEN), torch.nn.Tanh(), torch.nn.Linear(HIDDEN, KEYS_AND_VALUES))
extra.extend([E, *mlp.parameters()])
own = lambda layer: mlp(E).view(N, BLOCK_COUNT, 2, WIDTH)[:, LAYERS.index(layer)].transpose(0, 1)
