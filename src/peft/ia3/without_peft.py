def factor(inner, *place):
    module, W, rows = matrix(*place)
    l = torch.nn.Parameter(torch.ones(W.shape[1] if inner else len(W)))
    extra.append(l)
    if inner: module.register_forward_pre_hook(lambda _m, inputs: (inputs[0] * l,))
    else: module.register_forward_hook(lambda _m, _i, y: y.index_copy(-1, rows, y[..., rows] * l))
for place in [PLACES]: factor(*place)
