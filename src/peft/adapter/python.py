D, K, SCALING, act = D_MODEL, BOTTLENECK, FACTOR, NON_LINEARITY
def module():
    down, up = torch.nn.Linear(D, K), torch.nn.Linear(K, D)
    torch.nn.init.normal_(down.weight, std=0.02)
    for p in (down.bias, up.weight, up.bias): torch.nn.init.zeros_(p)
    extra.extend([*down.parameters(), *up.parameters()])
    return lambda x: SCALING * up(act(down(x)))
def bottleneck():
    change = module()
    return lambda _module, _inputs, y: y + change(y)
def parallel(layer):
    change, read = module(), {}
    layer.MLP_NORM.register_forward_pre_hook(lambda _m, inputs: read.update(x=inputs[0]))
    layer.LAST.register_forward_hook(lambda _m, _i, y: y + change(read["x"]).view_as(y))
for i in BLOCKS:
    layer = base.BLOCK_LIST[i]
