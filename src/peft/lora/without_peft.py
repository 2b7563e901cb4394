def low_rank(name):
    module = base.get_submodule(name)
    i, o = module.in_features, module.out_features
    A, B = torch.nn.Parameter((2 * torch.rand(RANK, i) - 1) / i**0.5), torch.nn.Parameter(torch.zeros(o, RANK))
    extra.extend([A, B])
    x = lambda inputs: F.dropout(inputs[0], DROPOUT, training=torch.is_grad_enabled())
    module.register_forward_hook(lambda _m, inputs, y: y + SCALING * (x(inputs) @ A.T) @ B.T)
for name in PATHS: low_rank(name)
