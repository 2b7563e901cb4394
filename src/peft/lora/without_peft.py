def low_rank(*place):
    module, W, rows = matrix(*place)
    A, B = torch.nn.Parameter((2 * torch.rand(RANK, W.shape[1]) - 1) / W.shape[1]**0.5), torch.nn.Parameter(torch.zeros(len(W), RANK))
    extra.extend([A, B])
    x = lambda inputs: F.dropout(inputs[0], DROPOUT, training=torch.is_grad_enabled())
    module.register_forward_hook(lambda _m, inputs, y: y.index_add(-1, rows, SCALING * (x(inputs) @ A.T) @ B.T))
for place in PLACES: low_rank(*place)
