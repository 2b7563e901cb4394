E = torch.nn.Parameter(torch.randn(LENGTH, WIDTH))
mlp = torch.nn.Sequential(torch.nn.Linear(WIDTH, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, WIDTH))
extra.extend([E, *mlp.parameters()])
prompt = lambda: mlp(E)
