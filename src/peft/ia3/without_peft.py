def factor(name, n, inner):
    module, l = base.get_submodule(name), torch.nn.Parameter(torch.ones(n))
    extra.append(l)
    if inner: module.register_forward_pre_hook(lambda _m, inputs: (inputs[0] * l,))
    else: module.register_forward_hook(lambda _m, _i, y: y * l)
for place in [PLACES]: factor(*place)
